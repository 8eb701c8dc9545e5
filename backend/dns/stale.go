package dns

// Stale tells for which names an answer from before a change may be wrong since.
type Stale struct {
	// All says that it may be so for every name.
	All bool
	// Names are single names.
	Names []Name
	// Trees are names with all that is below them.
	Trees []Name
	// Serials are the apexes of zones of which nothing changed but the serial.
	Serials []Name
	// Zones are the apexes of zones that came to be.
	Zones []Name
}

// IsNone reports whether there are no such names.
func (s *Stale) IsNone() bool {
	return !s.All && len(s.Names) == 0 && len(s.Trees) == 0 && len(s.Serials) == 0 && len(s.Zones) == 0
}
