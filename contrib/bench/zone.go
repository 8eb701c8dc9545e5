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
func writeQuestions(w io.Writer, hosts int) error {
	out := bufio.NewWriter(w)
	for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(hosts) {
		fmt.Fprintln(out, hostName(i), "A")
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
