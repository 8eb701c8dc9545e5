package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"redyn/auth"
	"redyn/backend/dns"
	"redyn/redisstore"
)

func hostCommand() *cli.Command {
	return &cli.Command{
		Name:  "host",
		Usage: "add, list, show, set and delete dynamic hosts: names whose addresses change",
		Subcommands: []*cli.Command{
			{
				Name: "add", Usage: "make a name of a zone a dynamic host, and print its number", ArgsUsage: "NAME",
				Flags: storeFlags(
					policyFlag,
					&cli.StringFlag{Name: "id", DefaultText: "the next one", Usage: "`NUMBER` of the host, such as clients know it by already"},
					jsonFlag,
				),
				Description: "Clients name the host by its name or number. It gets its addresses, A and AAAA, from them;\n" +
					"redyn credential add gives them the right to.",
				Action: withStore("expected: redyn host add NAME", 1, 1, hostAdd),
			},
			{
				Name: "list", Usage: "list all hosts", Flags: storeFlags(jsonFlag),
				Action: withStore("expected: redyn host list", 0, 0, hostList),
			},
			{
				Name: "show", Usage: "show a host, its addresses, and who may change them", ArgsUsage: "NAME|NUMBER", Flags: storeFlags(jsonFlag),
				Action: withStore("expected: redyn host show NAME or NUMBER", 1, 1, hostShow),
			},
			{
				Name: "set", Usage: "give a host another policy", ArgsUsage: "NAME|NUMBER", Flags: storeFlags(policyFlag),
				Action: withStore("expected: redyn host set NAME --policy POLICY", 1, 1, hostSet),
			},
			{
				Name: "delete", Usage: "delete a host, and what credentials grant as that host", ArgsUsage: "NAME|NUMBER",
				Flags:  storeFlags(&cli.BoolFlag{Name: "addresses", Usage: "delete its A and AAAA records too, which stay else"}),
				Action: withStore("expected: redyn host delete NAME or NUMBER", 1, 1, hostDelete),
			},
		},
	}
}

var policyFlag = &cli.StringFlag{Name: "policy", Value: "default", Usage: "what becomes of addresses of a family that an update does not mention: delete, preserve, or default, which is as the server is set"}

// hostInfo is a host as it is printed.
type hostInfo struct {
	ID      auth.HostID `json:"id"`
	Name    dns.Name    `json:"name"`
	Policy  string      `json:"policy"`
	Created *time.Time  `json:"created,omitempty"`
	Changed *time.Time  `json:"changed,omitempty"`
}

func newHostInfo(h auth.Host) hostInfo {
	policy := string(h.Policy)
	if h.Policy == auth.PolicyDefault {
		policy = "default"
	}
	return hostInfo{ID: h.ID, Name: h.Name, Policy: policy, Created: timeOrNil(h.Created), Changed: timeOrNil(h.Changed)}
}

func hostAdd(c *cli.Context, store *redisstore.Store) error {
	h := auth.Host{}
	var err error
	if h.Name, err = argName(c.Args().First()); err != nil {
		return err
	}
	if h.Policy, err = auth.ParseHostPolicy(c.String("policy")); err != nil {
		return usagef("--policy: %w", err)
	}
	if text := c.String("id"); text != "" {
		if h.ID, err = auth.ParseHostID(text); err != nil {
			return usagef("--id: %w", err)
		}
	}
	if err := notDelegated(c.Context, store, h.Name); err != nil {
		return err
	}
	h, _, err = store.AddHost(c.Context, h, who, from())
	if isNotFound(err) {
		return fmt.Errorf("%w %s; redyn zone list shows all", errNoZone, h.Name)
	}
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, struct {
			ID   auth.HostID `json:"id"`
			Name dns.Name    `json:"name"`
		}{h.ID, h.Name})
	}
	fmt.Fprintln(c.App.Writer, h.ID)
	return nil
}

// notDelegated refuses a name at or below a delegation of the zone that holds it: resolvers do not ask for
// it here.
func notDelegated(ctx context.Context, store *redisstore.Store, name dns.Name) error {
	zone, err := zoneOf(ctx, store, name, dns.TypeA)
	if err != nil {
		return err
	}
	for at := name; at != zone.Name; at = at.Parent() {
		switch _, err := store.RRset(ctx, zone.Name, at, dns.TypeNS); {
		case err == nil:
			return fmt.Errorf("host %s: %s is delegated to other servers, which answer for it", name, at)
		case !isNotFound(err):
			return err
		}
	}
	return nil
}

func hostList(c *cli.Context, store *redisstore.Store) error {
	hosts, err := store.Hosts(c.Context)
	if err != nil {
		return err
	}
	infos := make([]hostInfo, len(hosts))
	rows := make([][]string, len(hosts))
	for i, h := range hosts {
		infos[i] = newHostInfo(h)
		rows[i] = []string{h.ID.String(), string(h.Name), infos[i].Policy, timeOrNever(h.Changed)}
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, infos)
	}
	return printTable(c.App.Writer, []string{"ID", "NAME", "POLICY", "CHANGED"}, rows)
}

func timeOrNever(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format(time.RFC3339)
}

// hostDetails is a host with all that belongs to it.
type hostDetails struct {
	hostInfo
	Records     []recordInfo      `json:"records"`
	Credentials []auth.Credential `json:"credentials"`
}

func hostShow(c *cli.Context, store *redisstore.Store) error {
	h, err := argHost(c, store, c.Args().First())
	if err != nil {
		return err
	}
	found, err := store.Find(c.Context, auth.Query{HostNames: []dns.Name{h.Name}, ForHosts: true})
	if err != nil {
		return err
	}
	details := hostDetails{hostInfo: newHostInfo(h), Credentials: found.Credentials}
	if details.Records, err = addressesOf(c, store, h.Name); err != nil {
		return err
	}
	if c.Bool("json") {
		details.Records = append([]recordInfo{}, details.Records...)
		details.Credentials = append([]auth.Credential{}, details.Credentials...)
		return printJSON(c.App.Writer, details)
	}
	rows := [][]string{{"id", h.ID.String()}, {"policy", details.Policy}}
	if details.Created != nil {
		rows = append(rows, []string{"created", timeOrNever(h.Created)})
	}
	rows = append(rows, []string{"changed", timeOrNever(h.Changed)})
	for _, set := range details.Records {
		rows = append(rows, []string{strings.ToLower(set.Type), strings.Join(set.Content, " ")})
	}
	for _, cred := range found.Credentials {
		rows = append(rows, []string{"credential " + cred.ID, describe(cred)})
	}
	return printTable(c.App.Writer, []string{"name", string(h.Name)}, rows)
}

// addressesOf returns the addresses of a name; none if no zone holds it.
func addressesOf(c *cli.Context, store *redisstore.Store, name dns.Name) ([]recordInfo, error) {
	zone, err := zoneOf(c.Context, store, name, dns.TypeA)
	if errors.Is(err, errNoZone) {
		return nil, nil
	}
	var infos []recordInfo
	for _, typ := range []dns.Type{dns.TypeA, dns.TypeAAAA} {
		if err != nil {
			return nil, err
		}
		var set dns.RRset
		switch set, err = store.RRset(c.Context, zone.Name, name, typ); {
		case err == nil:
			infos = append(infos, recordInfo{set.Name, set.Type.String(), set.TTL, set.Content})
		case isNotFound(err):
			err = nil
		}
	}
	return infos, err
}

func hostSet(c *cli.Context, store *redisstore.Store) error {
	h, err := argHost(c, store, c.Args().First())
	if err != nil {
		return err
	}
	policy, err := auth.ParseHostPolicy(c.String("policy"))
	if err != nil || !c.IsSet("policy") {
		return usagef("--policy is needed: default, delete or preserve")
	}
	r, err := store.SetHostPolicy(c.Context, h.ID, policy, who, from())
	if err != nil {
		return err
	}
	if r.ID == "" {
		fmt.Fprintf(c.App.Writer, "host %d %s is set so already; nothing is changed\n", h.ID, h.Name)
		return nil
	}
	fmt.Fprintf(c.App.Writer, "host %d %s is set\n", h.ID, h.Name)
	return nil
}

func hostDelete(c *cli.Context, store *redisstore.Store) error {
	h, err := argHost(c, store, c.Args().First())
	if err != nil {
		return err
	}
	gone, r, err := store.DeleteHost(c.Context, h.ID, c.Bool("addresses"), who, from())
	if err != nil {
		return err
	}
	awaitNodes(c, store, r)
	what := fmt.Sprintf("host %d %s is deleted", h.ID, h.Name)
	if len(gone) > 0 {
		what += fmt.Sprintf(", with %s for it alone: %s", plural(len(gone), "credential"), strings.Join(gone, ", "))
	}
	fmt.Fprintln(c.App.Writer, what)
	return nil
}

// argHost returns the host that an argument names by its number or name.
func argHost(c *cli.Context, store *redisstore.Store, text string) (auth.Host, error) {
	var h auth.Host
	var err error
	if id, notNumber := auth.ParseHostID(text); notNumber == nil {
		h, err = store.Host(c.Context, id)
	} else {
		var name dns.Name
		if name, err = argName(text); err != nil {
			return h, err
		}
		h, err = store.HostNamed(c.Context, name)
	}
	if isNotFound(err) {
		err = fmt.Errorf("%w; redyn host list shows all, redyn host add makes a name one", err)
	}
	return h, err
}
