// Package zonedb keeps all zones in memory in the shape in which PowerDNS asks for them.
//
//	DB ── zones by id and by name, and by name in canonical order
//	 ├─ zone ── owner → node     a hash table: what a lookup reads, without a lock
//	 │      ├── nodes in order   a B-tree in canonical order (RFC 4034 section 6.1): what a list reads
//	 │      ├── cuts             how many owners below the apex have NS (RFC 2181 section 6)
//	 │      ├── children         how many names stand right below a name, for those that have any
//	 │      ├── keys, metadata
//	 │      └── nsec3            a B-tree of the hashes of the NSEC3 chain, if the zone has one
//	 ├─ server                  TSIG keys and autoprimaries
//	 └─ referrers ── target, owner: who names whom, across zones, for what a change makes stale
//
// A node is one owner name with all its RRsets. It never changes: a change makes new nodes and puts
// them in the place of the old. It is packed, so that a host with one address is one piece of
// memory: the node, and behind it a text of both name and address.
//
// What follows from the records is worked out when it is asked for. A name without records that is
// a parent is an empty non-terminal (RFC 9499), so hosts cost nothing for it. A name is hidden
// by a cut if one of its ancestors is one; most zones have no cuts and never look. PowerDNS
// asks for wildcards by their own name, so they are names like any other.
//
// Auth is as PowerDNS has it after rectify-zone: true for what the zone is authoritative for, false
// for all at or below a cut save what the parent signs there, DS, NSEC and RRSIG (RFC 4035
// section 2). An empty non-terminal is authoritative unless it is below a cut, also when it is there
// for the sake of a cut alone, as PowerDNS has it for zones that it loads from a file or transfers.
// Where another has signed with NSEC3 opt-out it must be in the chain too: PowerDNS takes what is
// authoritative for the closest provable encloser (RFC 5155 section 7.2.1). Names below a DNAME are no less authoritative for it:
// RFC 6672 section 2.4 has no such data in a zone, PowerDNS looks for the very name before it looks
// for a DNAME above, and its rectify-zone leaves them be.
//
// The NSEC chain is the order of the nodes without those that a cut hides, so it costs nothing. The
// NSEC3 chain is kept as PowerDNS's rectify-zone would make it, but that all empty non-terminals are
// in it with opt-out too, so that they are proved; and that whether there are keys or not:
// what comes in or goes out with a change is worked out and hashed before the swap, and what stays is
// not hashed again. Signatures of NSEC3 that stand at hashed names in pre-signed zones are found by
// Lookup and are in neither chain.
//
// A change makes its nodes first and then swaps them in under the zone's lock, so that all of it in a
// zone is seen or nothing. Most lookups take no lock: where processors share one, even to read, they wait
// for each other. They look at the zone's version before and after, and only if that tells of a change
// meanwhile, or if there are no records, they look again under the lock. A list holds no lock: it walks a
// copy-on-write copy of the order. A zone is loaded aside (Stage) and then takes its place (Show, ShowAll).
package zonedb
