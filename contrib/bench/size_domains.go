package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"time"
)

// allDomains is how PowerDNS asks for all zones to fill its zone cache.
const allDomains = `{"method": "getAllDomains", "parameters": {"include_disabled": true}}` + "\n"

// measureAllDomains asks for all zones, and for lookups while somebody asks for all zones without a
// pause.
func (b *bench) measureAllDomains(s *sized) error {
	unix, http := series{name: "unix"}, series{name: "HTTP"}
	var size int
	for range b.opts.rounds {
		for _, o := range []struct {
			times *series
			ask   func() (int, error)
		}{{&unix, s.domainsOverUnix}, {&http, s.domainsOverHTTP}} {
			begin := time.Now()
			var err error
			if size, err = o.ask(); err != nil {
				return fmt.Errorf("getAllDomains: %w", err)
			}
			o.times.values = append(o.times.values, milliseconds(time.Since(begin)))
		}
	}
	printTable(fmt.Sprintf("Milliseconds of getAllDomains: %d zones, %d bytes, of which PowerDNS takes %d over HTTP (%d rounds)",
		s.zones, size, 2<<20, b.opts.rounds), []series{unix, http}, nil)
	return b.measureLookupsBeside(s)
}

// domainsOverUnix returns how long the answer is.
func (s *sized) domainsOverUnix() (int, error) {
	f, err := dialBlocking(target{network: "unix", addr: s.unix})
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if _, err := io.WriteString(f, allDomains); err != nil {
		return 0, err
	}
	buf := make([]byte, 64<<10)
	for size := 0; ; {
		n, err := f.Read(buf)
		if err != nil {
			return 0, err
		}
		if size += n; bytes.HasSuffix(buf[:n], []byte("\n")) {
			return size, nil
		}
	}
}

func (s *sized) domainsOverHTTP() (int, error) {
	resp, err := http.Get("http://" + s.http + "/dns/getAllDomains?includeDisabled=true")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	size, err := io.Copy(io.Discard, resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s", resp.Status)
	}
	return int(size), err
}

// The contestants of measureLookupsBeside.
const (
	undisturbed = "lookups"
	beside      = "lookups beside getAllDomains"
)

// measureLookupsBeside says what whoever asks for all zones costs those who ask for names.
func (b *bench) measureLookupsBeside(s *sized) error {
	results := []series{{name: undisturbed}, {name: beside}}
	t := target{s.title, "unix", s.unix, s.process, s.dataSet, nil}
	err := b.rounds(len(results), b.opts.rounds, b.seconds(), func(round, i int, d time.Duration) error {
		stop := func() error { return nil }
		if results[i].name == beside {
			stop = s.askForAllDomains()
		}
		l, err := b.ask(&t, 1, d)
		if stopped := stop(); err == nil {
			err = stopped
		}
		if err == nil && round >= 0 {
			results[i].values = append(results[i].values, l.perSecond())
		}
		return err
	})
	if err != nil {
		return err
	}
	printTable(fmt.Sprintf("Lookups/s while all zones are asked for without a pause (unix; %d rounds of %v)", b.opts.rounds, b.seconds()),
		results, []goal{{"", beside, undisturbed, 0, atLeast}})
	return nil
}

// askForAllDomains asks until stop is called, which returns what went wrong.
func (s *sized) askForAllDomains() (stop func() error) {
	end, ended := make(chan struct{}), make(chan error)
	go func() {
		for {
			select {
			case <-end:
				ended <- nil
				return
			default:
			}
			if _, err := s.domainsOverUnix(); err != nil {
				<-end
				ended <- fmt.Errorf("getAllDomains: %w", err)
				return
			}
		}
	}()
	return func() error { close(end); return <-ended }
}
