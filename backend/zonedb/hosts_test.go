package zonedb_test

import (
	"testing"

	"redyn/backend/dns"
	"redyn/backend/zonedb"
)

// The names of dynamic hosts are known if they were once given, and change with the log.
func TestHosts(t *testing.T) {
	db := zonedb.New()
	is := func(name dns.Name, want bool) {
		t.Helper()
		if got := db.IsHost(name); got != want {
			t.Errorf("%s is a host: %t", name, got)
		}
	}
	change := func(hosts map[dns.Name]bool) { db.Apply(dns.Entry{Hosts: hosts}) }
	change(map[dns.Name]bool{"a.": true, "b.": false})
	is("a.", false)
	db.StageServer(dns.ServerData{Hosts: map[dns.Name]struct{}{"a.": {}, "b.": {}}})
	change(map[dns.Name]bool{"b.": false, "c.": true})
	is("a.", false)
	db.ShowAll()
	is("a.", true)
	is("b.", false)
	is("c.", true)
	change(map[dns.Name]bool{"a.": false, "d.": true})
	is("a.", false)
	is("d.", true)
	db.ShowAll()
	is("d.", true)
	db.StageServer(dns.ServerData{Hosts: map[dns.Name]struct{}{"e.": {}}})
	db.ShowAll()
	is("d.", false)
	is("e.", true)
}
