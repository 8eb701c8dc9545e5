package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"redyn/backend/dns"
	"redyn/backend/dns/zonefile"
	"redyn/redisstore"
)

func recordCommand() *cli.Command {
	return &cli.Command{
		Name:  "record",
		Usage: "list, set and delete records",
		Subcommands: []*cli.Command{
			{
				Name: "list", Usage: "list the records of a zone", ArgsUsage: "ZONE", Flags: storeFlags(jsonFlag),
				Action: withStore("expected: redyn record list ZONE", 1, 1, recordList),
			},
			{
				Name: "set", Usage: "set all records of a name and type", ArgsUsage: "NAME TYPE CONTENT...",
				Flags: storeFlags(&cli.StringFlag{Name: "ttl", DefaultText: "that of the records there, or 3600", Usage: "time to live in `SECONDS`"}, inZoneFlag),
				Description: "One CONTENT is the data of one record, as in a master file; the names in it are absolute.\n" +
					"The content of a TXT record without quotes is taken as one text.\n" +
					"  redyn record set example.org MX '10 mail.example.org' '20 mail.example.net'\n" +
					"  redyn record set example.org TXT 'v=spf1 mx -all'",
				Action: withStore("expected: redyn record set NAME TYPE CONTENT...", 3, -1, recordSet),
			},
			{
				Name: "delete", Usage: "delete all records of a name, or those of one type", ArgsUsage: "NAME [TYPE]", Flags: storeFlags(inZoneFlag),
				Action: withStore("expected: redyn record delete NAME [TYPE]", 1, 2, recordDelete),
			},
		},
	}
}

// inZoneFlag is for names that two zones may hold: a delegation and its glue belong to the parent.
var inZoneFlag = &cli.StringFlag{Name: "zone", DefaultText: "the longest that holds the name", Usage: "`NAME` of the zone to change, such as the parent for a delegation to a zone that is here too"}

// recordInfo is an RRset as it is printed.
type recordInfo struct {
	Name    dns.Name `json:"name"`
	Type    string   `json:"type"`
	TTL     uint32   `json:"ttl"`
	Content []string `json:"content"`
}

func recordList(c *cli.Context, store *redisstore.Store) error {
	name, err := argName(c.Args().First())
	if err != nil {
		return err
	}
	if !c.Bool("json") {
		return zonefile.Write(c.App.Writer, name, once(store.RRsets(c.Context, name)))
	}
	sets, err := collect(store.RRsets(c.Context, name))
	if err != nil {
		return err
	}
	zonefile.Sort(name, sets)
	infos := make([]recordInfo, len(sets))
	for i, s := range sets {
		infos[i] = recordInfo{s.Name, s.Type.String(), s.TTL, s.Content}
	}
	return printJSON(c.App.Writer, infos)
}

func recordSet(c *cli.Context, store *redisstore.Store) error {
	args := c.Args().Slice()
	name, err := argName(args[0])
	if err != nil {
		return err
	}
	typ, err := zonefile.ParseType(args[1])
	if err != nil {
		return usagef("%w", err)
	}
	content, err := zonefile.ParseContents(typ, args[2:])
	if err != nil {
		return fmt.Errorf("%s %w", name, err)
	}
	zone, err := changeableZone(c, store, name, typ)
	if err != nil {
		return err
	}
	set, expect, err := newValue(c, store, zone.Name, dns.NewRRset(name, typ, 0, content...))
	if err != nil {
		return err
	}
	r, err := store.Apply(c.Context, dns.Change{Who: who, From: from(), Zones: []dns.ZoneChange{
		{Zone: zone.Name, RRsets: []dns.RRset{set}, Expect: expect},
	}})
	if err != nil {
		return err
	}
	awaitNodes(c, store, r)
	reportChange(c, zone, fmt.Sprintf("%s %s is set", name, typ), r)
	return nil
}

// changeableZone returns the zone that a name belongs to, unless its records come from elsewhere.
func changeableZone(c *cli.Context, store *redisstore.Store, name dns.Name, typ dns.Type) (dns.Zone, error) {
	zone, err := chosenZone(c, store, name, typ)
	if err == nil && zone.Kind == dns.Slave {
		err = fmt.Errorf("zone %s is a slave: its records come from its primary (%s), and are changed there", zone.Name, strings.Join(zone.Masters, ", "))
	}
	return zone, err
}

// chosenZone returns the zone that --zone names, else the one that the name belongs to.
func chosenZone(c *cli.Context, store *redisstore.Store, name dns.Name, typ dns.Type) (dns.Zone, error) {
	text := c.String("zone")
	if text == "" {
		return zoneOf(c.Context, store, name, typ)
	}
	zone, err := dns.ParseName(text)
	if err != nil {
		return dns.Zone{}, usagef("--zone: %w", err)
	}
	if !name.Under(zone) {
		return dns.Zone{}, usagef("--zone: %s does not lie in %s", name, zone)
	}
	return store.Zone(c.Context, zone)
}

// newValue completes set by the TTL that it is to have, and finds what forbids it. The values that
// this rests on are returned too.
func newValue(c *cli.Context, store *redisstore.Store, zone dns.Name, set dns.RRset) (dns.RRset, []dns.RRset, error) {
	fail := func(err error) (dns.RRset, []dns.RRset, error) { return dns.RRset{}, nil, err }
	there, err := store.RRset(c.Context, zone, set.Name, set.Type)
	if err != nil && !isNotFound(err) && !errors.Is(err, dns.ErrUnknown) {
		return fail(err)
	}
	switch text := c.String("ttl"); {
	case text != "":
		if set.TTL, err = parseTTL(text); err != nil {
			return fail(usagef("--ttl: %w", err))
		}
	case len(there.Content) > 0:
		set.TTL = there.TTL
	default:
		set.TTL = zonefile.DefaultTTL
	}
	switch set.Type {
	case dns.TypeSOA:
		if set.Name != zone {
			return fail(fmt.Errorf("%s SOA: the zone is %s, and a SOA stands at its apex only", set.Name, zone))
		}
		fallthrough
	case dns.TypeCNAME, dns.TypeDNAME:
		if len(set.Content) > 1 {
			return fail(fmt.Errorf("%s can have one %s only; %d are given", set.Name, set.Type, len(set.Content)))
		}
	}
	expect, err := besideCNAME(c, store, zone, set)
	return set, expect, err
}

// besideCNAME makes sure that no CNAME comes to stand beside other data. It returns what must still be
// absent then: a CNAME, or what updates of hosts may set meanwhile.
func besideCNAME(c *cli.Context, store *redisstore.Store, zone dns.Name, set dns.RRset) ([]dns.RRset, error) {
	types, rivals := []dns.Type{set.Type}, []dns.Type{dns.TypeCNAME}
	if set.Type == dns.TypeCNAME {
		there, err := store.Name(c.Context, zone, set.Name)
		if err != nil {
			return nil, err
		}
		for _, s := range there {
			types = append(types, s.Type)
		}
		rivals = []dns.Type{dns.TypeA, dns.TypeAAAA, dns.TypeTXT}
	} else if _, err := store.RRset(c.Context, zone, set.Name, dns.TypeCNAME); err == nil {
		types, rivals = append(types, dns.TypeCNAME), nil
	} else if !isNotFound(err) {
		return nil, err
	}
	if conflict := zonefile.CNAMEConflict(set.Name, types); conflict != "" {
		return nil, fmt.Errorf("%s; redyn record delete %s makes room", conflict, set.Name)
	}
	var absent []dns.RRset
	for _, typ := range rivals {
		absent = append(absent, dns.RRset{Name: set.Name, Type: typ})
	}
	return absent, nil
}

func recordDelete(c *cli.Context, store *redisstore.Store) error {
	name, err := argName(c.Args().First())
	if err != nil {
		return err
	}
	var typ dns.Type
	if text := c.Args().Get(1); text != "" {
		if typ, err = zonefile.ParseType(text); err != nil {
			return usagef("%w", err)
		}
	}
	zone, err := changeableZone(c, store, name, typ)
	if err != nil {
		return err
	}
	gone, err := goneSets(c, store, zone.Name, name, typ)
	if err != nil {
		return err
	}
	r, err := store.Apply(c.Context, dns.Change{Who: who, From: from(), Zones: []dns.ZoneChange{{Zone: zone.Name, RRsets: gone}}})
	if err != nil {
		return err
	}
	awaitNodes(c, store, r)
	reportChange(c, zone, fmt.Sprintf("%s of %s deleted", plural(len(gone), "RRset"), name), r)
	return nil
}

// goneSets are the RRsets to take away: that of typ, or all of the name for TypeENT. The SOA stays.
func goneSets(c *cli.Context, store *redisstore.Store, zone, name dns.Name, typ dns.Type) ([]dns.RRset, error) {
	if typ == dns.TypeSOA {
		return nil, fmt.Errorf("%s SOA: a zone keeps its SOA; redyn zone delete %s deletes all", name, zone)
	}
	if typ == dns.TypeENT && name == zone {
		return nil, fmt.Errorf("%s is the zone itself; name a type, or redyn zone delete %s", name, zone)
	}
	var there []dns.RRset
	var err error
	if typ == dns.TypeENT {
		there, err = store.Name(c.Context, zone, name)
	} else {
		var set dns.RRset
		set, err = store.RRset(c.Context, zone, name, typ)
		there = []dns.RRset{set}
	}
	if err == nil && len(there) == 0 {
		err = fmt.Errorf("%s in zone %s: %w", name, zone, dns.ErrNotFound)
	}
	for i := range there {
		there[i].Content = nil
	}
	return there, err
}

func reportChange(c *cli.Context, zone dns.Zone, what string, r redisstore.Result) {
	serial, changed := r.Serials[zone.Name]
	switch {
	case r.ID == "":
		fmt.Fprintf(c.App.Writer, "%s already; nothing is changed\n", what)
	case changed:
		warnOfSerial(c, zone.Name, zone.Serial, serial)
		fmt.Fprintf(c.App.Writer, "%s, serial %d\n", what, serial)
	default:
		fmt.Fprintln(c.App.Writer, what)
	}
}
