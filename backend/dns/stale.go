package dns

// Stale tells for which names an answer from before a change may be wrong since.
type Stale struct {
	// All says that it may be so for every name.
	All bool
	// Names are single names.
	Names []Name
	// Trees are names with all that is below them.
	Trees []Name
	// Serials are the apexes of zones of which nothing changed but the serial. What leads there by a
	// CNAME is not told: there may be very many such names, and the change is of no use to them.
	Serials []Name
	// Zones are the apexes of zones that came to be.
	Zones []Name
	// Signed says that a server signs what it answers from one of the zones that changed.
	Signed bool
}

// IsNone reports whether there are no such names.
func (s *Stale) IsNone() bool {
	return !s.All && len(s.Names) == 0 && len(s.Trees) == 0 && len(s.Serials) == 0 && len(s.Zones) == 0
}
