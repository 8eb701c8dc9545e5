package updater

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-json"

	"redyn/auth"
	"redyn/backend/dns"
)

// decode reads the body, a JSON object. Of a request signed by HMAC its members are what is signed, so
// that they are texts, numbers, true and false.
func (c *apiCall) decode(into any) {
	if c.wish.proof.kind == hmacProof {
		c.doubt(c.signedBody())
	}
	d := json.NewDecoder(strings.NewReader(c.r.body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		c.doubt(bad("the body: %s", bodyText(err)))
		return
	}
	if _, more := d.Token(); !errors.Is(more, io.EOF) {
		c.doubt(bad("the body: it has something after its JSON object"))
	}
}

// bodyText says what is wrong with a body in the words of JSON.
func bodyText(err error) string {
	var other *json.UnmarshalTypeError
	var noTime *time.ParseError
	switch {
	case errors.Is(err, io.EOF):
		return "there is none; expected a JSON object"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "it ends too soon"
	case errors.As(err, &noTime):
		return fmt.Sprintf("%+.40q is no time; expected %s", noTime.Value, rightTime)
	case errors.As(err, &other):
		text := fmt.Sprintf("expected %s, not %s", rightValue(other.Type), other.Value)
		if other.Field != "" {
			text = other.Field + ": " + text
		}
		return text
	}
	return strings.TrimPrefix(err.Error(), "json: ")
}

const rightTime = "a time such as 2027-01-31T12:00:00Z"

// rightValue says what JSON has for a Go type.
func rightValue(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Uint32:
		return fmt.Sprintf("a number from 0 to %d", dns.MaxTTL)
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	case reflect.Slice:
		return "a list"
	}
	if t == reflect.TypeFor[time.Time]() {
		return rightTime
	}
	return "a JSON object"
}

// signedBody adds the members of the body to what is signed. None is given twice, however it is spelt:
// of two, the signature does not say which comes last.
func (c *apiCall) signedBody() error {
	members, err := auth.ParseJSONParams([]byte(c.r.body))
	if err != nil {
		return bad("the body: %v; an HMAC signs no others: lists can be one text, with commas or lines", err)
	}
	c.r.params = append(c.r.params, members...)
	for i, m := range members {
		if slices.ContainsFunc(members[:i], func(o auth.Param) bool { return strings.EqualFold(o.Key, m.Key) }) {
			return bad("the body: member %+.40q is given twice", m.Key)
		}
	}
	return nil
}

// commaList is a list of texts in JSON; or one text, with commas between them.
type commaList []string

// UnmarshalJSON reads a list or a text.
func (l *commaList) UnmarshalJSON(text []byte) (err error) {
	*l, err = readList(text, ",")
	return err
}

// lineList is a list of texts in JSON; or one text, with a line for each.
type lineList []string

// UnmarshalJSON reads a list or a text.
func (l *lineList) UnmarshalJSON(text []byte) (err error) {
	*l, err = readList(text, "\n")
	return err
}

func readList(text []byte, separator string) ([]string, error) {
	if !bytes.HasPrefix(text, []byte(`"`)) {
		var list []string
		if err := json.Unmarshal(text, &list); err != nil {
			return nil, fmt.Errorf("%+.40q is neither a list of texts nor a text", text)
		}
		return list, nil
	}
	var one string
	if err := json.Unmarshal(text, &one); err != nil || one == "" {
		return nil, err
	}
	list := strings.Split(one, separator)
	for i := range list {
		list[i] = strings.TrimSpace(list[i])
	}
	return list, nil
}

// Bounds of one answer with a list.
const (
	defaultPage = 1000
	mostPage    = 10_000
)

// page is the part of a list that is asked for.
type page struct {
	after dns.Name // which name it comes behind; empty for none
	limit int
}

func (c *apiCall) page() page {
	p := page{limit: defaultPage}
	if text, ok := c.r.params.get("after"); ok {
		p.after = c.name("after", text)
	}
	if text, ok := c.r.params.get("limit"); ok {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > mostPage {
			c.doubt(bad("limit %+.40q is not from 1 to %d", text, mostPage))
		}
		p.limit = n
	}
	return p
}

// has reports whether a name is not before the page.
func (p page) has(name dns.Name) bool { return p.after == "" || dns.Compare(name, p.after) > 0 }

// name reads a domain name, which what says where it stands.
func (c *apiCall) name(what, text string) dns.Name {
	name, err := dns.ParseName(text)
	if err != nil {
		c.doubt(bad("%s: %v", what, err))
	}
	return name
}
