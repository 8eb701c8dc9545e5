package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strconv"

	"github.com/redis/go-redis/v9"
)

// hostsKey holds, by name, all records of that name: a line each of type, a space, and content.
const hostsKey = "bench:rr"

// startRedis runs a redis-server without persistence and returns its address.
func (b *bench) startRedis() (string, error) {
	port, err := freePort()
	if err != nil {
		return "", err
	}
	p, err := b.start("redis-server", "redis-server", "--bind", "127.0.0.1", "--port", strconv.Itoa(port),
		"--save", "", "--appendonly", "no", "--dir", b.dir, "--dbfilename", strconv.Itoa(port)+".rdb", "--unixsocket", b.redisSocket(loopback(port)))
	if err != nil {
		return "", err
	}
	return loopback(port), b.await(p, ready, accepts("tcp", loopback(port)))
}

// redisSocket is the unix socket of the redis-server at an address.
func (b *bench) redisSocket(addr string) string {
	return filepath.Join(b.dir, "redis-"+addr[len("127.0.0.1:"):])
}

// fillRedis writes what the Redis responder reads.
func fillRedis(addr string, hosts int) error {
	r, err := dialRedis(addr)
	if err != nil {
		return err
	}
	defer r.c.Close()
	set := func(name, rows string) error {
		_, err := r.do("HSET", hostsKey, name, rows)
		return err
	}
	if err := set(origin, "SOA "+apexSOA+"\nNS "+apexNS+"\n"); err != nil {
		return err
	}
	for i := range hosts {
		if err := set(hostName(i), "A "+hostAddr(i)+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// redisConn speaks just enough RESP to read a field, on a connection used by one goroutine:
// no pool, no pipeline, no reflection, nothing faster.
type redisConn struct {
	c        net.Conn
	in       *bufio.Reader
	out, val []byte
}

func dialRedis(addr string) (*redisConn, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &redisConn{c: c, in: bufio.NewReader(c)}, nil
}

// do sends one command and returns its reply, valid until the next; nil is none.
func (r *redisConn) do(args ...string) ([]byte, error) {
	r.out = append(strconv.AppendInt(append(r.out[:0], '*'), int64(len(args)), 10), "\r\n"...)
	for _, a := range args {
		r.out = append(strconv.AppendInt(append(r.out, '$'), int64(len(a)), 10), "\r\n"...)
		r.out = append(append(r.out, a...), "\r\n"...)
	}
	if _, err := r.c.Write(r.out); err != nil {
		return nil, err
	}
	line, err := r.in.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	kind, rest := line[0], bytes.TrimSpace(line[1:])
	switch kind {
	case '+', ':':
		r.val = append(r.val[:0], rest...)
		return r.val, nil
	case '$':
		size, err := strconv.Atoi(string(rest))
		if err != nil || size < 0 {
			return nil, err
		}
		r.val = append(r.val[:0], make([]byte, size+2)...)
		_, err = io.ReadFull(r.in, r.val)
		return r.val[:size], err
	}
	return nil, fmt.Errorf("redis says %q", line)
}

// rows reads all records of a name from Redis, once.
type rows func(name []byte) ([]byte, error)

// redisRows reads over connections that all share, by the library that services in Go use.
func redisRows(addr string) rows {
	client := redis.NewClient(&redis.Options{Addr: addr})
	return func(name []byte) ([]byte, error) {
		all, err := client.HGet(context.Background(), hostsKey, string(name)).Bytes()
		if errors.Is(err, redis.Nil) {
			return nil, nil
		}
		return all, err
	}
}

// bareRedisRows reads over a connection of its own.
func bareRedisRows(addr string) (rows, error) {
	r, err := dialRedis(addr)
	if err != nil {
		return nil, err
	}
	return func(name []byte) ([]byte, error) { return r.do("HGET", hostsKey, string(name)) }, nil
}

// redisResponder answers lookups by one read each.
func redisResponder(read rows) answerer {
	return func(dst, line []byte) ([]byte, error) {
		_, after, found := bytes.Cut(line, []byte(`"qname": "`))
		name, _, _ := bytes.Cut(after, []byte(`"`))
		if !found {
			return append(dst, otherAnswer(line)...), nil
		}
		rows, err := read(name)
		if err != nil {
			return nil, err
		}
		dst = append(dst, `{"result":[`...)
		for len(rows) > 0 {
			var row []byte
			row, rows, _ = bytes.Cut(rows, []byte("\n"))
			typ, content, _ := bytes.Cut(row, []byte(" "))
			dst = append(append(dst, `{"qtype":"`...), typ...)
			dst = append(append(dst, `","qname":"`...), name...)
			dst = append(append(dst, `","content":"`...), content...)
			dst = strconv.AppendInt(append(dst, `","ttl":`...), ttl, 10)
			dst = append(strconv.AppendInt(append(dst, `,"domain_id":`...), zoneID, 10), '}')
			if len(rows) > 0 {
				dst = append(dst, ',')
			}
		}
		return append(dst, "]}\n"...), nil
	}
}
