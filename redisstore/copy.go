package redisstore

import (
	"iter"

	"redyn/backend/dns"
)

// Copy is a copy of all zones in memory, kept by a Follower. Its methods are called one at a time,
// but for Stage, which may run beside Stage of other zones and beside the rest.
type Copy interface {
	// Stage builds a zone aside, invisible to readers, from what sets yields; of an RRset that is
	// yielded twice the later one holds. A zone of the same ID staged before is forgotten. If sets
	// yields an error Stage returns it, and nothing is staged. The Serial of data's zone is not filled in.
	// A zone may be Unknown: whatever is asked of it must not be answered as if it were not there.
	Stage(data dns.ZoneData, sets iter.Seq2[dns.RRset, error]) error
	// Keep stages the zone with this id that is shown, to go on as it is; false if there is none.
	Keep(id dns.ZoneID) bool
	// StageServer keeps aside what belongs to no zone, until ShowAll shows it. What was staged of it
	// before is forgotten.
	StageServer(data dns.ServerData)
	// Apply makes the change visible, per zone all at once. The part that concerns a staged zone
	// goes to the staged zone alone; if it deletes it, Show and ShowAll will show none in its place.
	// What belongs to no zone likewise goes to what is staged of it, if it is.
	// Parts of zones neither shown nor staged are ignored.
	Apply(e dns.Entry)
	// Show makes the staged zone with this id visible in place of the one shown before, if it is
	// staged.
	Show(id dns.ZoneID)
	// ShowAll makes exactly the staged zones visible: all others are gone. With them it shows what
	// StageServer staged, if anything.
	ShowAll()
	// Forget drops all that is staged.
	Forget()
}
