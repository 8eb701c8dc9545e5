package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// origin is the zone that all contestants serve.
const origin = "bench.example."

// The records at the apex and of one host, as every contestant has them.
const (
	apexSOA = "ns1." + origin + " hostmaster." + origin + " 1 3600 600 86400 60"
	apexNS  = "ns1." + origin
	ttl     = 300
)

func hostName(i int) string { return fmt.Sprintf("h%07d.%s", i, origin) }

func hostAddr(i int) string { return fmt.Sprintf("10.%d.%d.%d", i>>16&255, i>>8&255, i&255) }

// dataSet is what names a backend has.
type dataSet struct {
	zones, hosts int
	name         func(host int) string
}

func oneZone(hosts int) dataSet { return dataSet{1, hosts, hostName} }

// smallZones are zones of so many names, of which all but the apex and its name server are hosts.
func smallZones(zones, names int) dataSet {
	each := names - 2
	return dataSet{zones, zones * each, func(i int) string { return fmt.Sprintf("h%d.%s", i%each, zoneName(i/each)) }}
}

func zoneName(i int) string { return fmt.Sprintf("z%06d.example.", i) }

// writeSmallZone writes one of the zones of a data set as a master file.
func (d dataSet) writeSmallZone(w io.Writer, zone int) error {
	out := bufio.NewWriter(w)
	apex, each := zoneName(zone), d.hosts/d.zones
	fmt.Fprintf(out, "$TTL %d\n%s SOA ns1.%[2]s hostmaster.%[2]s 1 3600 600 86400 60\n%[2]s NS ns1.%[2]s\nns1.%[2]s A 127.0.0.1\n", ttl, apex)
	for i := zone * each; i < (zone+1)*each; i++ {
		fmt.Fprintf(out, "%s A %s\n", d.name(i), hostAddr(i))
	}
	return out.Flush()
}

// writeZone writes the zone as a master file.
func writeZone(w io.Writer, hosts int) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "$ORIGIN %s\n$TTL %d\n@ SOA %s\n@ NS %s\nns1 A 127.0.0.1\n", origin, ttl, apexSOA, apexNS)
	for i := range hosts {
		fmt.Fprintf(out, "%s A %s\n", hostName(i), hostAddr(i))
	}
	return out.Flush()
}

// writeSQL writes the zone for PowerDNS's sqlite3 schema.
func writeSQL(w io.Writer, hosts int) error {
	out := bufio.NewWriter(w)
	row := func(name, typ, content string) {
		fmt.Fprintf(out, "INSERT INTO records(domain_id,name,type,content,ttl,prio,disabled,auth) VALUES(1,'%s','%s','%s',%d,0,0,1);\n",
			name[:len(name)-1], typ, content, ttl)
	}
	fmt.Fprintf(out, "BEGIN;\nINSERT INTO domains(id,name,type) VALUES(1,'%s','NATIVE');\n", origin[:len(origin)-1])
	row(origin, "SOA", apexSOA)
	row(origin, "NS", apexNS)
	row("ns1."+origin, "A", "127.0.0.1")
	for i := range hosts {
		row(hostName(i), "A", hostAddr(i))
	}
	fmt.Fprintln(out, "COMMIT;")
	return out.Flush()
}

// writeQuestions writes a question for each host, in random order, as dnsperf reads them.
func (d dataSet) writeQuestions(w io.Writer) error {
	out := bufio.NewWriter(w)
	for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(d.hosts) {
		fmt.Fprintln(out, d.name(i), "A")
	}
	return out.Flush()
}

// file writes a file into the bench's directory and returns its path.
func (b *bench) file(name string, write func(io.Writer) error) (string, error) {
	path := filepath.Join(b.dir, name)
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	if err := write(f); err != nil {
		_ = f.Close()
		return "", err
	}
	return path, f.Close()
}
