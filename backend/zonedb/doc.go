// Package zonedb keeps all zones in memory in the shape in which PowerDNS asks for them.
//
//	DB ── zones by id and by name, and by name in canonical order
//	 ├─ zone ── owner → node     a hash map: what a lookup reads
//	 │      ├── nodes in order   a B-tree in canonical order (RFC 4034 section 6.1): what a list reads
//	 │      ├── cuts             owners of NS below the apex (RFC 2181 section 6)
//	 │      └── parents          how many names stand right below a name, for those that have any
//	 └─ referrers ── target, owner: who names whom, across zones
//
// A node is one owner name with all its RRsets. It never changes: a change makes new nodes and puts
// them in the place of the old. It is packed, so that a host with one address is two pieces of
// memory: the node, and one text that holds both name and address.
//
// What follows from the records is worked out when it is asked for. A name without records that is
// a parent is an empty non-terminal (RFC 9499), so hosts cost nothing for it. A name is hidden
// by a cut if one of its ancestors is in cuts, so most zones never look. PowerDNS asks for wildcards
// by their own name, so they are names like any other.
//
// Auth is as PowerDNS has it after rectify-zone: true for what the zone is authoritative for, false
// for all at or below a cut save what the parent signs there, DS, NSEC and RRSIG (RFC 4035
// section 2). An empty non-terminal is authoritative unless it is below a cut, also when it is there
// for the sake of a cut alone, as PowerDNS has it for zones that it loads from a file. Names below a DNAME are no less authoritative for it: RFC 6672
// section 2.4 has no such data in a zone, PowerDNS looks for the very name before it looks for a
// DNAME above, and its rectify-zone leaves them be.
//
// Readers hold a zone's lock for one name, writers for the swap of nodes made before, so that all
// of a change in a zone is seen or nothing. A list holds none: it walks a copy-on-write copy of the
// order. A zone is loaded aside (Stage) and then takes its place (Show, ShowAll).
package zonedb
