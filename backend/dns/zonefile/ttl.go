package zonefile

import "redyn/backend/dns"

// parseTTL reads seconds, or BIND's 1w2d3h4m5s.
func parseTTL(text string) (uint32, error) {
	seconds, ok := parseSeconds(text)
	if !ok || seconds > dns.MaxTTL {
		return 0, faultf("TTL %q is wrong; expected 0 to 2147483647 seconds, or such as 1h30m", text)
	}
	return uint32(seconds), nil
}

// parseSeconds reads a time as a number of seconds, or as numbers with the units w d h m s.
func parseSeconds(text string) (seconds uint64, ok bool) {
	number, digits := uint64(0), 0
	for i := 0; i < len(text); i++ {
		c := text[i]
		if '0' <= c && c <= '9' {
			number = number*10 + uint64(c-'0')
			digits++
		} else {
			unit := secondsIn(c | 0x20)
			if unit == 0 || digits == 0 {
				return 0, false
			}
			seconds += number * unit
			number, digits = 0, 0
		}
		if number > 1<<40 || seconds > 1<<40 {
			return 0, false
		}
	}
	if digits > 0 {
		seconds += number
	}
	return seconds, len(text) > 0
}

func secondsIn(unit byte) uint64 {
	switch unit {
	case 's':
		return 1
	case 'm':
		return 60
	case 'h':
		return 60 * 60
	case 'd':
		return 24 * 60 * 60
	case 'w':
		return 7 * 24 * 60 * 60
	}
	return 0
}
