package redisstore_test

import (
	"net"
	"sync"
	"testing"
)

// proxy stands between a store and its server, to do what networks do.
type proxy struct {
	l net.Listener

	mu     sync.Mutex
	target string
	cut    int // so many connections are ended instead of passing on a reply
	drop   int // so many instead of passing on a request
	conns  map[net.Conn]struct{}
}

func newProxy(t testing.TB, target string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{l: l, target: target, conns: make(map[net.Conn]struct{})}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.cutAll()
		wg.Wait()
	})
	return p
}

func (p *proxy) url() string { return "redis://" + p.l.Addr().String() + "/0" }

// redirect sends new connections to another server and ends the others.
func (p *proxy) redirect(target string) {
	p.mu.Lock()
	p.target = target
	p.mu.Unlock()
	p.cutAll()
}

func (p *proxy) cutAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		c.Close()
	}
}

// cutReplies makes the proxy end the connection n times instead of passing on a reply.
func (p *proxy) cutReplies(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cut = n
}

// dropRequests makes the proxy end the connection n times instead of passing on a request.
func (p *proxy) dropRequests(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drop = n
}

func (p *proxy) dropped() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.drop == 0 {
		return false
	}
	p.drop--
	return true
}

func (p *proxy) serve(c net.Conn) {
	defer c.Close()
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	s, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer s.Close()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.conns, c)
		delete(p.conns, s)
	}()
	p.mu.Lock()
	p.conns[c], p.conns[s] = struct{}{}, struct{}{}
	moved := p.target != target
	p.mu.Unlock()
	if moved {
		return
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		defer s.Close()
		buf := make([]byte, 64<<10)
		for {
			n, err := c.Read(buf)
			if err != nil || p.dropped() {
				return
			}
			if _, err := s.Write(buf[:n]); err != nil {
				return
			}
		}
	})
	buf := make([]byte, 64<<10)
	for {
		n, err := s.Read(buf)
		p.mu.Lock()
		cut := err == nil && p.cut > 0
		if cut {
			p.cut--
		}
		p.mu.Unlock()
		if err != nil || cut {
			break
		}
		if _, err := c.Write(buf[:n]); err != nil {
			break
		}
	}
	c.Close()
	s.Close()
	wg.Wait()
}
