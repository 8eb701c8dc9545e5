package zonefile

import (
	"bufio"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"

	"redyn/backend/dns"
)

// Write writes a zone as a master file that needs no directives: the SOA first, then the names in
// canonical order (RFC 4034 section 6.1), one record a line, all names absolute. It holds the
// zone in memory to order it.
func Write(w io.Writer, zone dns.Name, sets iter.Seq2[dns.RRset, error]) error {
	var all []dns.RRset
	for set, err := range sets {
		if err != nil {
			return err
		}
		all = append(all, set)
	}
	Sort(zone, all)
	out := bufio.NewWriterSize(w, 64<<10)
	var line []byte
	for _, set := range all {
		for _, content := range set.Content {
			line = AppendRecord(line[:0], set, content)
			if _, err := out.Write(line); err != nil {
				return err
			}
		}
	}
	return out.Flush()
}

// Sort puts the RRsets of a zone in the order of Write: the SOA first, then canonical.
func Sort(zone dns.Name, sets []dns.RRset) {
	isSOA := func(s dns.RRset) bool { return s.Type == dns.TypeSOA && s.Name == zone }
	slices.SortFunc(sets, func(a, b dns.RRset) int {
		switch {
		case isSOA(a) != isSOA(b):
			if isSOA(a) {
				return -1
			}
			return 1
		case a.Name != b.Name:
			return dns.Compare(a.Name, b.Name)
		}
		return int(a.Type) - int(b.Type)
	})
}

// AppendRecord appends one record of the RRset as a line of a master file.
func AppendRecord(dst []byte, set dns.RRset, content string) []byte {
	dst = append(append(dst, set.Name...), '\t')
	dst = append(strconv.AppendUint(dst, uint64(set.TTLOf(content)), 10), "\tIN\t"...)
	dst = append(append(dst, set.Type.String()...), '\t')
	if set.Type == typeIPSECKEY {
		content = withGateway(content)
	}
	return append(append(dst, content...), '\n')
}

// withGateway gives an IPSECKEY the gateway that a master file has also where there is none (RFC 4025
// section 3.1), and PowerDNS does not.
func withGateway(content string) string {
	f := strings.Fields(content)
	if len(f) < 3 || f[1] != "0" {
		return content
	}
	return strings.Join(slices.Insert(f, 3, "."), " ")
}
