package zonedb

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"redyn/backend/dns"
)

// server is what belongs to no zone. It never changes: a change makes another.
type server struct {
	tsig          []dns.TSIGKey // by name
	tsigUnknown   bool          // there are others
	autoprimaries map[dns.Autoprimary]string
	hosts         map[dns.Name]struct{} // changes, unlike the rest, as there may be very many
}

// TSIGKey returns the TSIG key named name. It fails with dns.ErrNotFound if there is none, and with
// dns.ErrUnknown if it may be one that could not be read.
func (db *DB) TSIGKey(name dns.Name) (dns.TSIGKey, error) {
	s := db.ofServer()
	i, found := slices.BinarySearchFunc(s.tsig, name, compareTSIGName)
	switch {
	case found:
		return s.tsig[i], nil
	case s.tsigUnknown:
		return dns.TSIGKey{}, fmt.Errorf("TSIG key %s: %w", name, dns.ErrUnknown)
	}
	return dns.TSIGKey{}, fmt.Errorf("TSIG key %s: %w", name, dns.ErrNotFound)
}

// TSIGKeys returns all TSIG keys by name; callers do not change them. It fails with dns.ErrUnknown if
// there are others that could not be read.
func (db *DB) TSIGKeys() ([]dns.TSIGKey, error) {
	s := db.ofServer()
	if s.tsigUnknown {
		return nil, fmt.Errorf("TSIG keys: %w", dns.ErrUnknown)
	}
	return s.tsig, nil
}

// Autoprimaries returns the accounts of all autoprimaries; callers do not change them.
func (db *DB) Autoprimaries() map[dns.Autoprimary]string { return db.ofServer().autoprimaries }

// IsHost reports whether a name is that of a dynamic host. It needs no memory.
func (db *DB) IsHost(name dns.Name) bool {
	db.mu.RLock()
	defer db.mu.RUnlock()
	_, is := db.server.hosts[name]
	return is
}

func (db *DB) ofServer() *server {
	db.mu.RLock()
	defer db.mu.RUnlock()
	return db.server
}

// StageServer keeps aside what belongs to no zone, until ShowAll shows it. What was staged of it
// before is forgotten. See Stage for who may call it.
func (db *DB) StageServer(data dns.ServerData) {
	s := &server{slices.Clone(data.TSIG), data.TSIGUnknown, maps.Clone(data.Autoprimaries), maps.Clone(data.Hosts)}
	slices.SortFunc(s.tsig, func(a, b dns.TSIGKey) int { return compareTSIGName(a, b.Name) })
	db.mu.Lock()
	defer db.mu.Unlock()
	db.stagedServer = s
}

// applyServer makes a change of what belongs to no zone.
func (db *DB) applyServer(e dns.Entry) {
	if len(e.Server.TSIG) == 0 && len(e.Server.Autoprimaries) == 0 && len(e.Hosts) == 0 && !e.TSIGUnknown {
		return
	}
	db.mu.Lock()
	defer db.mu.Unlock()
	s := &db.server
	if db.stagedServer != nil {
		s = &db.stagedServer
	}
	*s = (*s).with(e.Server, e.TSIGUnknown)
	(*s).setHosts(e.Hosts)
}

// setHosts changes the hosts of s, if it has any.
func (s *server) setHosts(hosts map[dns.Name]bool) {
	for name, is := range hosts {
		if !is || s.hosts == nil {
			delete(s.hosts, name)
		} else {
			s.hosts[dns.Name(strings.Clone(string(name)))] = struct{}{}
		}
	}
}

// with returns s after a change.
func (s *server) with(change dns.ServerChange, unknown bool) *server {
	fresh := &server{slices.Clone(s.tsig), s.tsigUnknown || unknown, maps.Clone(s.autoprimaries), s.hosts}
	for name, key := range change.TSIG {
		i, found := slices.BinarySearchFunc(fresh.tsig, name, compareTSIGName)
		if found {
			fresh.tsig = slices.Delete(fresh.tsig, i, i+1)
		}
		if key != nil {
			key := *key
			key.Name = name
			fresh.tsig = slices.Insert(fresh.tsig, i, key)
		}
	}
	for autoprimary, account := range change.Autoprimaries {
		if account == nil {
			delete(fresh.autoprimaries, autoprimary)
			continue
		}
		if fresh.autoprimaries == nil {
			fresh.autoprimaries = make(map[dns.Autoprimary]string)
		}
		fresh.autoprimaries[autoprimary] = *account
	}
	return fresh
}

func compareTSIGName(key dns.TSIGKey, name dns.Name) int {
	return strings.Compare(string(key.Name), string(name))
}
