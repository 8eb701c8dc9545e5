package main

import (
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"time"
)

// profile has a redyn write where its processor time goes, for d from now on, into the file of -profile.
// Without that it does nothing. wait returns when it is written.
func (b *bench) profile(s redynServer, d time.Duration) (wait func() error) {
	if b.opts.profile == "" {
		return func() error { return nil }
	}
	done := make(chan error, 1)
	go func() { done <- b.writeProfile(s, d) }()
	return func() error { return <-done }
}

func (b *bench) writeProfile(s redynServer, d time.Duration) error {
	url := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", s.status, int(math.Ceil(d.Seconds())))
	request, err := http.NewRequestWithContext(b.ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK {
		return fmt.Errorf("profile: %s", reply.Status)
	}
	file, err := os.Create(b.opts.profile)
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, reply.Body); err != nil {
		_ = file.Close()
		return fmt.Errorf("profile: %w", err)
	}
	return file.Close()
}
