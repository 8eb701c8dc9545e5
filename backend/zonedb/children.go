package zonedb

import "redyn/backend/dns"

// children counts the owners and empty non-terminals right below each name of a zone. Most zones have
// some below their apex alone, which is why that has no place in the map.
type children struct {
	apex   dns.Name
	ofApex int32
	others map[dns.Name]int32 // those that have any; nil as long as none had
}

func (c *children) of(name dns.Name) int32 {
	if name == c.apex {
		return c.ofApex
	}
	return c.others[name]
}

// add adds n to the number of those below name, and returns what that is now.
func (c *children) add(name dns.Name, n int32) int32 {
	if name == c.apex {
		c.ofApex += n
		return c.ofApex
	}
	n += c.others[name]
	switch {
	case n == 0:
		delete(c.others, name)
	case c.others == nil:
		c.others = map[dns.Name]int32{name: n}
	default:
		c.others[name] = n
	}
	return n
}
