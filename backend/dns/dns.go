// Package dns holds the words that every part of redyn shares: names, types, RRsets, zones,
// serials, and the changes made to them. It parses what reaches it as text once, so that nobody
// has to do it again, and imports nothing but the standard library.
package dns

import "errors"

// Known outcomes, alike for every part of redyn. All else that fails is a fault of the store.
var (
	// ErrNotFound says that the data set is known and does not hold what was asked for.
	ErrNotFound = errors.New("not found")
	// ErrExists says that what was to be created is there already.
	ErrExists = errors.New("exists already")
	// ErrConflict says that data changed since the change was computed from it: compute it again.
	ErrConflict = errors.New("changed meanwhile")
	// ErrUnknown says that what was asked for may be there, but could not be read.
	ErrUnknown = errors.New("not all could be read")
	// ErrLost says that the store has lost its data set: unknown, not empty. Nothing is written.
	ErrLost = errors.New("the store has lost its data (no epoch)")
)
