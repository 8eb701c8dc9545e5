package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"redyn/auth"
	"redyn/backend/dns"
	"redyn/backend/dns/zonefile"
	"redyn/redisstore"
)

func zoneCommand() *cli.Command {
	return &cli.Command{
		Name:  "zone",
		Usage: "create, list, show, set, delete, import, export and check zones",
		Subcommands: []*cli.Command{
			zoneCreateCommand(),
			{
				Name: "list", Usage: "list all zones", Flags: storeFlags(jsonFlag),
				Action: withStore("expected: redyn zone list", 0, 0, zoneList),
			},
			{
				Name: "show", Usage: "show what is known of a zone", ArgsUsage: "NAME", Flags: storeFlags(jsonFlag),
				Action: withStore("expected: redyn zone show NAME", 1, 1, zoneShow),
			},
			{
				Name: "delete", Usage: "delete a zone with all its records", ArgsUsage: "NAME", Flags: storeFlags(),
				Action: withStore("expected: redyn zone delete NAME", 1, 1, zoneDelete),
			},
			zoneSetCommand(),
			zoneImportCommand(),
			{
				Name: "export", Usage: "print a zone as a master file", ArgsUsage: "NAME", Flags: storeFlags(),
				Action: withStore("expected: redyn zone export NAME", 1, 1, zoneExport),
			},
			zoneCheckCommand(),
			zoneAutoprimaryCommand(),
		},
	}
}

// zoneInfo is a zone as it is printed.
type zoneInfo struct {
	Name           dns.Name     `json:"name"`
	ID             dns.ZoneID   `json:"id"`
	Kind           dns.Kind     `json:"kind"`
	Serial         dns.Serial   `json:"serial"`
	SerialPolicy   string       `json:"serial_policy"`
	NotifiedSerial dns.Serial   `json:"notified_serial"`
	Primaries      []string     `json:"primaries,omitempty"`
	LastCheck      *time.Time   `json:"last_check,omitempty"`
	Account        string       `json:"account,omitempty"`
	Created        *time.Time   `json:"created,omitempty"`
	DNSSEC         string       `json:"dnssec"`
	Keys           []keyInfo    `json:"keys"`
	Records        *int         `json:"records,omitempty"`
	Metadata       dns.Metadata `json:"metadata,omitempty"`
}

func newZoneInfo(about dns.ZoneData) zoneInfo {
	z := about.Zone
	return zoneInfo{
		Name: z.Name, ID: z.ID, Kind: z.Kind, Serial: z.Serial, SerialPolicy: string(z.Policy), NotifiedSerial: z.NotifiedSerial,
		Primaries: z.Masters, LastCheck: timeOrNil(z.LastCheck), Account: z.Account, Created: timeOrNil(z.Created),
		DNSSEC: signing(about), Keys: newKeyInfos(about.Keys),
	}
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func zoneList(c *cli.Context, store *redisstore.Store) error {
	zones, err := store.AboutAll(c.Context)
	if err != nil {
		return err
	}
	slices.SortFunc(zones, func(a, b dns.ZoneData) int { return dns.Compare(a.Zone.Name, b.Zone.Name) })
	infos := make([]zoneInfo, len(zones))
	rows := make([][]string, len(zones))
	for i, about := range zones {
		z := about.Zone
		infos[i] = newZoneInfo(about)
		rows[i] = []string{string(z.Name), string(z.Kind), fmt.Sprint(z.Serial), infos[i].DNSSEC, strings.Join(z.Masters, ",")}
	}
	if c.Bool("json") {
		return printJSON(c.App.Writer, infos)
	}
	return printTable(c.App.Writer, []string{"NAME", "KIND", "SERIAL", "DNSSEC", "PRIMARIES"}, rows)
}

func zoneShow(c *cli.Context, store *redisstore.Store) error {
	name, err := argName(c.Args().First())
	if err != nil {
		return err
	}
	about, err := store.About(c.Context, name)
	if err != nil {
		return err
	}
	info := newZoneInfo(about)
	info.Metadata = about.Metadata
	records, soa := 0, ""
	for set, err := range store.RRsets(c.Context, name) {
		if err != nil {
			return err
		}
		records += len(set.Content)
		if set.Type == dns.TypeSOA {
			soa = set.Content[0]
		}
	}
	info.Records = &records
	if c.Bool("json") {
		return printJSON(c.App.Writer, info)
	}
	return printTable(c.App.Writer, []string{"name", string(name)}, zoneRows(info, soa))
}

func zoneRows(z zoneInfo, soa string) [][]string {
	rows := [][]string{
		{"id", strconv.Itoa(int(z.ID))},
		{"kind", string(z.Kind)},
		{"serial", fmt.Sprintf("%d (%s)", z.Serial, z.SerialPolicy)},
		{"records", strconv.Itoa(*z.Records)},
		{"dnssec", z.DNSSEC},
	}
	for _, k := range z.Keys {
		rows = append(rows, []string{fmt.Sprintf("key %d", k.ID), k.String()})
	}
	if soa != "" {
		rows = append(rows, []string{"soa", soa})
	}
	if len(z.Primaries) > 0 {
		rows = append(rows, []string{"primaries", strings.Join(z.Primaries, " ")})
	}
	if z.Kind == dns.Slave && z.LastCheck != nil {
		rows = append(rows, []string{"last check", z.LastCheck.Format(time.RFC3339)})
	}
	if z.Kind == dns.Master {
		rows = append(rows, []string{"notified serial", fmt.Sprint(z.NotifiedSerial)})
	}
	if z.Account != "" {
		rows = append(rows, []string{"account", z.Account})
	}
	if z.Created != nil {
		rows = append(rows, []string{"created", z.Created.Format(time.RFC3339)})
	}
	for kind, values := range sortedMap(z.Metadata) {
		rows = append(rows, []string{"metadata " + kind, strings.Join(values, " ")})
	}
	return rows
}

// zoneDelete deletes a zone. Credentials for it stay, as it may be imported anew; they are named, since
// another zone of that name would be theirs too.
func zoneDelete(c *cli.Context, store *redisstore.Store) error {
	name, err := argName(c.Args().First())
	if err != nil {
		return err
	}
	found, err := store.Find(c.Context, auth.Query{ForZones: []dns.Name{name}})
	if err != nil {
		return err
	}
	r, err := store.DeleteZone(c.Context, name, who, from())
	if err != nil {
		return err
	}
	awaitNodes(c, store, r)
	what := fmt.Sprintf("zone %s is deleted", name)
	if ids := idsForZone(found.Credentials, name); len(ids) > 0 {
		what += "; credentials for a zone of that name stay: " + strings.Join(ids, ", ")
	}
	fmt.Fprintln(c.App.Writer, what)
	return nil
}

// idsForZone returns the ids of those that grant the zone, and are not revoked.
func idsForZone(all []auth.Credential, zone dns.Name) (ids []string) {
	for _, cred := range all {
		if !cred.Revoked && slices.ContainsFunc(cred.Grant.Zones, func(a auth.Area) bool { return a.Name == zone }) {
			ids = append(ids, cred.ID)
		}
	}
	return ids
}

func zoneExport(c *cli.Context, store *redisstore.Store) error {
	name, err := argName(c.Args().First())
	if err != nil {
		return err
	}
	return zonefile.Write(c.App.Writer, name, once(store.RRsets(c.Context, name)))
}

var errNoZone = errors.New("no zone here holds")

// zoneOf returns the hosted zone that a name belongs to: the longest one. A DS belongs to the
// parent of the zone that has its name (RFC 4035 section 2.4).
func zoneOf(ctx context.Context, store *redisstore.Store, name dns.Name, typ dns.Type) (dns.Zone, error) {
	at := name
	if typ == dns.TypeDS && at != dns.Root {
		at = at.Parent()
	}
	for {
		z, err := store.Zone(ctx, at)
		if err == nil || !isNotFound(err) {
			return z, err
		}
		if at == dns.Root {
			return dns.Zone{}, fmt.Errorf("%w %s; redyn zone list shows all", errNoZone, name)
		}
		at = at.Parent()
	}
}
