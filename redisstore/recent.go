package redisstore

// recent holds the ids of the newest entries that the copy shows.
type recent struct {
	ids  [4096]string
	next int
}

func (r *recent) add(id string) {
	r.ids[r.next%len(r.ids)] = id
	r.next++
}

func (r *recent) has(id string) bool {
	for i := r.next - 1; i >= 0 && i >= r.next-len(r.ids); i-- {
		if r.ids[i%len(r.ids)] == id {
			return true
		}
	}
	return false
}
