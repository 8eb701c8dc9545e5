package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

var (
	perfQPS  = regexp.MustCompile(`Queries per second:\s+([0-9.]+)`)
	perfSent = regexp.MustCompile(`Queries sent:\s+([0-9]+)`)
	perfGood = regexp.MustCompile(`Response codes:.*NOERROR ([0-9]+)`)
)

// dnsperf asks for d and returns the questions answered in a second, and how many were answered
// otherwise than good has it or not at all. More are arguments of its own.
func (b *bench) dnsperf(port int, questions string, d time.Duration, good *regexp.Regexp, more ...string) (qps float64, faults int, err error) {
	cmd := exec.CommandContext(b.ctx, "dnsperf", append([]string{
		"-s", "127.0.0.1", "-p", strconv.Itoa(port), "-d", questions,
		"-c", strconv.Itoa(b.opts.clients), "-q", strconv.Itoa(b.opts.outstanding),
		"-l", strconv.FormatFloat(d.Seconds(), 'f', -1, 64),
	}, more...)...)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, 0, fmt.Errorf("dnsperf: %w\n%s", err, out)
	}
	var found [3]float64
	for i, pattern := range []*regexp.Regexp{perfQPS, perfSent, good} {
		m := pattern.FindSubmatch(out)
		if m == nil {
			return 0, 0, fmt.Errorf("dnsperf got no answers:\n%s", out)
		}
		if found[i], err = strconv.ParseFloat(string(m[1]), 64); err != nil {
			return 0, 0, err
		}
	}
	return found[0], int(found[1] - found[2]), nil
}
