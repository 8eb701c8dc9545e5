package main

import "slices"

// redynServer is a running redyn and where it listens.
type redynServer struct {
	process            *process
	unix, http, status string
}

// startRedyn serves what redis holds and returns when all of it is loaded.
func (b *bench) startRedyn(name, redis string, more ...string) (redynServer, error) {
	s := redynServer{unix: b.socket()}
	for _, addr := range []*string{&s.http, &s.status} {
		port, err := freePort()
		if err != nil {
			return s, err
		}
		*addr = loopback(port)
	}
	args := append([]string{
		"serve", "--redis-url", "redis://" + redis + "/0", "--node-name", name,
		"--backend-unix", s.unix, "--backend-listen", s.http, "--status-listen", s.status,
	}, more...)
	if !slices.Contains(more, "--updater-listen") {
		args = append(args, "--updater-listen", "")
	}
	var err error
	if s.process, err = b.start(name, b.redyn, args...); err != nil {
		return s, err
	}
	err = b.await(s.process, 10*ready, answersOK("http://"+s.status+"/readyz"))
	if err == nil {
		err = b.await(s.process, ready, accepts("unix", s.unix))
	}
	return s, err
}
