package redisstore

// recent holds the ids of the newest entries that the copy shows. The zero value holds none.
type recent struct {
	ids  [4096]string
	next int
	held map[string]struct{} // those of ids
}

func (r *recent) add(id string) {
	if r.held == nil {
		r.held = make(map[string]struct{}, len(r.ids))
	}
	at := &r.ids[r.next%len(r.ids)]
	delete(r.held, *at)
	*at = id
	r.held[id] = struct{}{}
	r.next++
}

func (r *recent) has(id string) bool {
	_, ok := r.held[id]
	return ok
}
