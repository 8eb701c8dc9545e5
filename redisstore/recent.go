package redisstore

// recent holds the ids of the newest entries that the copy shows.
type recent struct {
	ids  [4096]string
	next int
	all  map[string]struct{} // those in ids: whoever waits looks here after each entry
}

func (r *recent) add(id string) {
	if r.has(id) {
		return
	}
	if r.all == nil {
		r.all = make(map[string]struct{}, len(r.ids))
	}
	at := &r.ids[r.next%len(r.ids)]
	delete(r.all, *at)
	*at = id
	r.all[id] = struct{}{}
	r.next++
}

func (r *recent) has(id string) bool {
	_, ok := r.all[id]
	return ok
}
