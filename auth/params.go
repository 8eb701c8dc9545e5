package auth

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
)

// Param is a parameter of a request, decoded.
type Param struct{ Key, Value string }

// maxParams bounds what is sorted and hashed for a stranger.
const maxParams = 1000

// ParseForm reads the parameters of a query or of a form body (application/x-www-form-urlencoded),
// in order, and all values of one key. It fails at a broken escape, where readers differ: what is
// signed must be what is done.
func ParseForm(text string) ([]Param, error) {
	if strings.Count(text, "&") >= maxParams {
		return nil, tooManyParams()
	}
	var params []Param
	for pair := range strings.SplitSeq(text, "&") {
		if pair == "" {
			continue
		}
		key, value, _ := strings.Cut(pair, "=")
		k, err := url.QueryUnescape(key)
		v, err2 := url.QueryUnescape(value)
		if err != nil || err2 != nil {
			return nil, fmt.Errorf("parameter %d has a broken escape; expected %%XX", len(params)+1)
		}
		params = append(params, Param{k, v})
	}
	return params, nil
}

func tooManyParams() error { return fmt.Errorf("more than %d parameters", maxParams) }

// ParseJSONParams reads the members of a JSON object as parameters, in order: strings, and the text
// of numbers, true and false. It fails for anything else: there is no form in which it could be signed.
func ParseJSONParams(body []byte) ([]Param, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("the body is not a JSON object")
	}
	var params []Param
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("the body is not a JSON object: %w", err)
		}
		value, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("the body is not a JSON object: %w", err)
		}
		if len(params) == maxParams {
			return nil, tooManyParams()
		}
		p := Param{Key: key.(string)} // the decoder allows no other key
		switch v := value.(type) {
		case string:
			p.Value = v
		case json.Number:
			p.Value = v.String()
		case bool:
			p.Value = fmt.Sprint(v)
		default:
			return nil, fmt.Errorf("member %d of the JSON object is not text, a number, true or false", len(params)+1)
		}
		params = append(params, p)
	}
	if _, err := d.Token(); err != nil {
		return nil, errors.New("the body is not a whole JSON object")
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("the body has something after its JSON object")
	}
	return params, nil
}

// encoding is how a form encoder writes what is neither letter nor digit nor - _ . itself.
type encoding struct {
	space string
	tilde string
}

// encodings are those in use: of PHP's http_build_query (RFC 1738), of RFC 3986, and of Go and
// Python, which write + for a space and leave the tilde.
var encodings = [...]encoding{{"+", "%7E"}, {"%20", "~"}, {"+", "~"}}

// sortParams returns the parameters in the order in which they are signed: by key, then value, as
// bytes.
func sortParams(params []Param) []Param {
	params = slices.Clone(params)
	slices.SortFunc(params, func(a, b Param) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Value, b.Value))
	})
	return params
}

// encode writes sorted parameters as they are signed.
func (e encoding) encode(sorted []Param) string {
	var out []byte
	for i, p := range sorted {
		if i > 0 {
			out = append(out, '&')
		}
		out = e.append(out, p.Key)
		out = append(out, '=')
		out = e.append(out, p.Value)
	}
	return string(out)
}

// differ reports whether the encodings write the parameters in different ways.
func differ(params []Param) bool {
	return slices.ContainsFunc(params, func(p Param) bool {
		return strings.ContainsAny(p.Key, " ~") || strings.ContainsAny(p.Value, " ~")
	})
}

func (e encoding) append(out []byte, text string) []byte {
	const digits = "0123456789ABCDEF"
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
			out = append(out, c)
		case c == ' ':
			out = append(out, e.space...)
		case c == '~':
			out = append(out, e.tilde...)
		default:
			out = append(out, '%', digits[c>>4], digits[c&15])
		}
	}
	return out
}
