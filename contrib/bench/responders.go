package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"

	"github.com/valyala/fasthttp"
)

// What the canned responders send: the answers that redyn gives, with one host for all. No
// backend in Go can do less than look which of these is asked for.
var (
	cannedTrue    = []byte(`{"result":true}` + "\n")
	cannedFalse   = []byte(`{"result":false}` + "\n")
	cannedNothing = []byte(`{"result":{}}` + "\n")
	cannedDomains = fmt.Appendf(nil, `{"result":[{"id":%d,"zone":%q,"serial":1}]}`+"\n", zoneID, origin)
	cannedApex    = []byte(`{"result":[` + row(origin, "SOA", apexSOA) + `,` + row(origin, "NS", apexNS) + `]}` + "\n")
	cannedHost    = []byte(`{"result":[` + row(hostName(1), "A", hostAddr(1)) + `]}` + "\n")
)

// zoneID is as long as most of redyn's.
const zoneID = 1234567890

func row(name, typ, content string) string {
	return fmt.Sprintf(`{"qtype":%q,"qname":%q,"content":%q,"ttl":%d,"domain_id":%d}`, typ, name, content, ttl, zoneID)
}

// respond is the process of one responder; it ends with its standard input.
func respond(args []string) error {
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	switch {
	case len(args) == 2 && args[0] == "unix":
		return serveUnix(args[1], func() (answerer, error) { return canned, nil })
	case len(args) == 2 && (args[0] == "http" || args[0] == "http-close"):
		return serveHTTP(args[1], args[0] == "http-close")
	case len(args) == 3 && args[0] == "redis":
		answer := redisResponder(redisRows(args[2]))
		return serveUnix(args[1], func() (answerer, error) { return answer, nil })
	case len(args) == 3 && args[0] == "bare-redis":
		return serveUnix(args[1], func() (answerer, error) {
			read, err := bareRedisRows(args[2])
			return redisResponder(read), err
		})
	}
	return fmt.Errorf("respond: unknown arguments %q", args)
}

// answerer appends the answer to one line of the unix connector.
type answerer func(dst, line []byte) ([]byte, error)

// serveUnix answers the connections of the unix connector, each by an answerer of its own.
func serveUnix(path string, answerer func() (answerer, error)) error {
	l, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	for {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer c.Close()
			answer, err := answerer()
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				return
			}
			in := bufio.NewReaderSize(c, 64<<10)
			var out []byte
			for {
				line, err := in.ReadSlice('\n')
				if err != nil {
					return
				}
				if out, err = answer(out[:0], line); err != nil {
					fmt.Fprintln(os.Stderr, err)
					return
				}
				if _, err := c.Write(out); err != nil {
					return
				}
			}
		}()
	}
}

func canned(dst, line []byte) ([]byte, error) {
	switch {
	case bytes.Contains(line, []byte(`"qname": "`+origin+`"`)):
		return append(dst, cannedApex...), nil
	case bytes.Contains(line, []byte(`"lookup"`)):
		return append(dst, cannedHost...), nil
	}
	return append(dst, otherAnswer(line)...), nil
}

// otherAnswer is the answer to what is asked at the start only.
func otherAnswer(line []byte) []byte {
	switch {
	case bytes.Contains(line, []byte(`initialize`)):
		return cannedTrue
	case bytes.Contains(line, []byte(`getAllDomains`)):
		return cannedDomains
	case bytes.Contains(line, []byte(`getAllDomainMetadata`)):
		return cannedNothing
	}
	return cannedFalse
}

// serveHTTP answers over fasthttp, each connection until it is closed or only once.
func serveHTTP(addr string, closeEach bool) error {
	json, apex, lookup := []byte("application/json"), []byte("/dns/lookup/bench%2eexample%2e/"), []byte("/dns/lookup/")
	server := &fasthttp.Server{
		NoDefaultServerHeader: true, NoDefaultDate: true, NoDefaultContentType: true,
		Handler: func(ctx *fasthttp.RequestCtx) {
			ctx.Response.Header.SetContentTypeBytes(json)
			switch uri := ctx.RequestURI(); {
			case bytes.HasPrefix(uri, apex):
				ctx.SetBody(cannedApex)
			case bytes.HasPrefix(uri, lookup):
				ctx.SetBody(cannedHost)
			default:
				ctx.SetBody(otherAnswer(uri))
			}
			if closeEach {
				ctx.SetConnectionClose()
			}
		},
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	return server.Serve(l)
}
