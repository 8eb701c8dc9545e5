package updater

import (
	"bufio"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"

	"github.com/valyala/fasthttp"
)

func itoa(n int) string { return strconv.Itoa(n) }

func lines(header []string) string {
	var b strings.Builder
	for _, line := range header {
		b.WriteString(line + "\r\n")
	}
	return b.String()
}

// basic is the header of Basic authentication.
func basic(user, password string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// errAway is what a store says that does not answer.
var errAway = errors.New("dial tcp 127.0.0.1:6379: connection refused")

// readHeader reads a request's header as the server does.
func readHeader(h *fasthttp.RequestHeader, raw string) error {
	return h.Read(bufio.NewReader(strings.NewReader(raw)))
}
