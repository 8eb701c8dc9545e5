package backend

import (
	"bytes"
	"encoding/json"
	"fmt"
	"iter"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"redyn/backend/dns"
)

// recorded is one request as PowerDNS sent it, and the result that a trial server gave; result is nil
// where none was kept.
type recorded struct {
	method     string
	parameters map[string]any // what it asks, found out here in a way of our own
	request    string         // the request line of HTTP
	header     string         // its lines end in CRLF
	body       string         // of HTTP; the line of the unix connector
	result     any
}

// replayed is data that holds just what the recorded answer tells, and checks that it is asked for
// just what was meant.
type replayed struct {
	t *testing.T
	recorded
}

func (r *replayed) want(key string, got any) {
	r.t.Helper()
	want := r.parameters[key]
	if text, ok := want.(string); ok && key != "kind" && key != "qtype" {
		want = string(dns.MustParseName(text))
	}
	if fmt.Sprint(want) != fmt.Sprint(got) {
		r.t.Errorf("%s asks for %s %v; want %v", r.request+r.body, key, got, want)
	}
}

func (r *replayed) rows() iter.Seq[dns.Answer] {
	return func(yield func(dns.Answer) bool) {
		list, _ := r.result.([]any)
		for _, row := range list {
			m := row.(map[string]any)
			typ := dns.TypeENT
			if m["qtype"] != "" {
				typ, _ = dns.ParseType(m["qtype"].(string))
			}
			a := dns.Answer{RRset: dns.RRset{Name: dns.MustParseName(m["qname"].(string)), Type: typ}, Auth: m["auth"] != 0.0}
			a.TTL = uint32(m["ttl"].(float64))
			if typ != dns.TypeENT {
				a.Content = []string{m["content"].(string)}
			}
			if id, ok := m["domain_id"]; ok {
				a.Zone = dns.ZoneID(id.(float64))
			}
			if !yield(a) {
				return
			}
		}
	}
}

func (r *replayed) zones() iter.Seq[dns.Zone] {
	return func(yield func(dns.Zone) bool) {
		list, ok := r.result.([]any)
		if !ok {
			list = []any{r.result}
		}
		for _, zone := range list {
			m, ok := zone.(map[string]any)
			if !ok {
				return
			}
			z := dns.Zone{
				ID: dns.ZoneID(m["id"].(float64)), Name: dns.MustParseName(m["zone"].(string)), Kind: dns.Kind(m["kind"].(string)),
				Serial: dns.Serial(m["serial"].(float64)), NotifiedSerial: dns.Serial(m["notified_serial"].(float64)),
			}
			if check := m["last_check"].(float64); check != 0 {
				z.LastCheck = time.Unix(int64(check), 0)
			}
			masters, _ := m["masters"].([]any)
			for _, master := range masters {
				z.Masters = append(z.Masters, master.(string))
			}
			if !yield(z) {
				return
			}
		}
	}
}

func (r *replayed) Lookup(dst []dns.Answer, name dns.Name, typ dns.Type, id dns.ZoneID) ([]dns.Answer, error) {
	if r.method == "getUnfreshSlaveInfos" {
		return dst, nil // of zones that were never transferred
	}
	r.want("qname", name)
	r.want("qtype", typ)
	r.want("zone-id", id)
	return slices.AppendSeq(dst, r.rows()), nil
}

func (r *replayed) List(id dns.ZoneID, name dns.Name) (iter.Seq[dns.Answer], error) {
	r.want("domain_id", id)
	r.want("zonename", name)
	if _, ok := r.result.([]any); !ok {
		return nil, dns.ErrNotFound
	}
	return r.rows(), nil
}

func (r *replayed) Zone(name dns.Name) (dns.Zone, bool) {
	r.want("name", name)
	for z := range r.zones() {
		return z, true
	}
	return dns.Zone{}, false
}

func (r *replayed) Zones() iter.Seq[dns.Zone] { return r.zones() }

func (r *replayed) Metadata(name dns.Name) (dns.Metadata, error) {
	r.want("name", name)
	kinds, _ := r.result.(map[string]any)
	if values, ok := r.result.([]any); ok {
		kinds = map[string]any{r.parameters["kind"].(string): values}
	}
	meta := make(dns.Metadata)
	for kind, values := range kinds {
		for _, v := range values.([]any) {
			meta[kind] = append(meta[kind], v.(string))
		}
	}
	return meta, nil
}

func (r *replayed) ZoneByID(dns.ZoneID) (dns.Zone, bool) {
	return dns.Zone{ID: 1, Name: "example.org.", Serial: 5}, true
}

func (r *replayed) Neighbours(id dns.ZoneID, name dns.Name) (before, after dns.Name, ok bool) {
	r.want("id", id)
	m, ok := r.result.(map[string]any)
	if !ok {
		return "", "", false
	}
	const apex = "example.org."
	if want := dns.MustParseName(r.parameters["qname"].(string) + apex); name != want {
		r.t.Errorf("the neighbours of %s are asked for, want %s", name, want)
	}
	at := func(key string) dns.Name {
		if m[key] == "" {
			return apex
		}
		return dns.MustParseName(m[key].(string) + "." + apex)
	}
	return at("before"), at("after"), true
}

func (r *replayed) HashNeighbours(id dns.ZoneID, hash string) (before string, unhashed dns.Name, after string, ok bool) {
	m, ok := r.result.(map[string]any)
	if !ok || len(hash) != 32 {
		return "", "", "", false
	}
	return m["before"].(string), dns.Name(m["unhashed"].(string)), m["after"].(string), true
}

func (r *replayed) Keys(name dns.Name) (keys []dns.Key, _ error) {
	r.want("name", name)
	list, _ := r.result.([]any)
	for _, row := range list {
		m := row.(map[string]any)
		keys = append(keys, dns.Key{
			ID: dns.KeyID(m["id"].(float64)), Flags: uint16(m["flags"].(float64)), Active: m["active"] == true,
			Published: m["published"] == true, Content: m["content"].(string),
		})
	}
	return keys, nil
}

func (r *replayed) TSIGKey(name dns.Name) (dns.TSIGKey, error) {
	r.want("name", name)
	m, ok := r.result.(map[string]any)
	if !ok {
		return dns.TSIGKey{}, dns.ErrNotFound
	}
	return dns.TSIGKey{Name: name, Algorithm: dns.Name(m["algorithm"].(string)), Secret: m["content"].(string)}, nil
}

func (r *replayed) TSIGKeys() (keys []dns.TSIGKey, _ error) {
	list, _ := r.result.([]any)
	for _, row := range list {
		m := row.(map[string]any)
		keys = append(keys, dns.TSIGKey{
			Name: dns.Name(m["name"].(string)), Algorithm: dns.Name(m["algorithm"].(string)), Secret: m["content"].(string),
		})
	}
	return keys, nil
}

func (r *replayed) Autoprimaries() map[dns.Autoprimary]string { return nil }

func (r *replayed) Search(pattern string, most int) iter.Seq[dns.Answer] {
	if got := fmt.Sprint(pattern, " ", most); got != fmt.Sprint(r.parameters["pattern"], " ", r.parameters["maxResults"]) {
		r.t.Errorf("searchRecords searches %s", got)
	}
	return r.rows()
}

// TestReplayHTTP sends what three versions of PowerDNS sent.
func TestReplayHTTP(t *testing.T) {
	for _, version := range []string{"4.7.3", "4.9.17", "5.1.5"} {
		t.Run(version, func(t *testing.T) {
			data := &replayed{t: t}
			conn := dial(t, "tcp", start(t, Options{Zones: data}).http)
			for _, r := range readHTTP(t, "testdata/traffic-"+version+".txt") {
				data.recorded = r
				response, body := conn.exchange(r.request, r.header, r.body)
				r.check(t, response.StatusCode, body)
			}
		})
	}
}

// TestReplayUnix sends what they wrote to the unix connector.
func TestReplayUnix(t *testing.T) {
	data := &replayed{t: t}
	conn := dial(t, "unix", start(t, Options{Zones: data}).unix)
	for _, r := range readUnix(t, "testdata/traffic-unix.txt") {
		data.recorded = r
		reply := conn.line(r.body)
		status := 200
		if strings.HasPrefix(reply, `{"error":`) {
			status = 501
		}
		r.check(t, status, reply)
	}
}

// check says whether PowerDNS would take the answer, and for what was recorded.
func (r *recorded) check(t *testing.T, status int, body string) {
	t.Helper()
	asked := r.request + " " + r.body
	if m := find([]byte(r.method)); m.access == writes {
		if m.isFatal() {
			if want := `{"result":false}`; status != 200 || strings.TrimSpace(body) != want {
				t.Errorf("%s is answered %d %s; want %s, as nothing is written", asked, status, body, want)
			}
			return
		}
		if status != 501 {
			t.Errorf("%s is answered %d %s; want 501, as nothing is written", asked, status, body)
		}
		return
	}
	var reply map[string]any
	if err := json.Unmarshal([]byte(body), &reply); err != nil || status != 200 || reply["result"] == nil {
		t.Errorf("%s is answered %d %s, %v", asked, status, body, err)
		return
	}
	if rows, ok := reply["result"].([]any); ok && r.method != "getDomainMetadata" {
		for _, row := range rows {
			m, _ := row.(map[string]any)
			if auth, given := m["auth"]; given && auth != 0.0 && auth != 1.0 {
				t.Errorf("%s: auth is %v; only 0 and 1 are read", asked, auth)
			}
		}
	}
	if r.result == nil {
		return
	}
	if got, want := meaning(r.method, reply["result"]), meaning(r.method, r.result); got != want {
		t.Errorf("%s\nmeans %s\nwant  %s", asked, got, want)
	}
}

// meaning writes a result as PowerDNS reads it: with all defaults, none for false, and names
// whatever their case.
func meaning(method string, result any) string {
	defaults := map[string]any{}
	switch method {
	case "lookup", "APILookup", "list", "searchRecords":
		defaults = map[string]any{"auth": 1.0, "scopeMask": 0.0}
		if method != "lookup" && method != "APILookup" {
			defaults["domain_id"] = "not read"
		}
	case "getAllDomains", "getDomainInfo", "getUnfreshSlaveInfos", "getUpdatedMasters":
		defaults = map[string]any{"kind": "native", "serial": 0.0, "notified_serial": 0.0, "last_check": 0.0, "masters": []any{}}
	}
	list, ok := result.([]any)
	if !ok {
		list = []any{result}
	}
	var text []string
	for _, row := range list {
		if row == false {
			continue
		}
		if m, ok := row.(map[string]any); ok {
			for key, value := range defaults {
				if _, given := m[key]; !given || value == "not read" {
					m[key] = value
				}
			}
			for _, key := range []string{"before", "after"} {
				if name, ok := m[key].(string); ok {
					m[key] = strings.TrimSuffix(name, ".")
				}
			}
			if name, ok := m["qname"].(string); ok {
				m["qname"] = strings.ToLower(name)
			}
		}
		encoded, _ := json.Marshal(row)
		text = append(text, string(encoded))
	}
	return strings.Join(text, "\n")
}

func readHTTP(t *testing.T, file string) (list []recorded) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for block := range bytes.SplitSeq(text, []byte("\n\n")) {
		lines := strings.Split(strings.TrimSpace(string(block)), "\n")
		request, ok := strings.CutSuffix(lines[0], " HTTP/1.1")
		if !ok {
			continue
		}
		r := recorded{request: request}
		header := make(map[string]string)
		for _, line := range lines[1:] {
			if answer, ok := strings.CutPrefix(line, "-> "); ok {
				r.result = resultOf(t, answer[strings.Index(answer, "{"):])
				continue
			}
			key, value, _ := strings.Cut(line, ": ")
			switch key {
			case "body":
				r.body = raw(t, value)
			case "Content-Length":
			default:
				r.header += line + "\r\n"
				header[key] = value
			}
		}
		if strings.Contains(r.header, "Content-Type") {
			r.header += fmt.Sprintf("Content-Length: %d\r\n", len(r.body))
		}
		r.understand(t, header)
		list = append(list, r)
	}
	if len(list) < 100 {
		t.Fatalf("%s has %d requests only", file, len(list))
	}
	return list
}

// understand finds out what a recorded request asks for.
func (r *recorded) understand(t *testing.T, header map[string]string) {
	t.Helper()
	_, uri, _ := strings.Cut(r.request, " ")
	path, query, _ := strings.Cut(uri, "?")
	segments := strings.Split(strings.TrimPrefix(path, "/dns"), "/")
	if len(segments) == 1 {
		r.parse(t, r.body)
		return
	}
	r.method, r.parameters = segments[1], make(map[string]any)
	values, _ := url.ParseQuery(r.body)
	if values.Has("parameters") {
		r.parse(t, fmt.Sprintf(`{"method":%q,"parameters":%s}`, r.method, values.Get("parameters")))
		return
	}
	for i, f := range find([]byte(r.method)).path {
		value, err := url.PathUnescape(segments[2+i])
		if err != nil {
			t.Fatal(err)
		}
		r.parameters[f.String()] = value
		if number, err := strconv.ParseFloat(value, 64); err == nil && strings.HasSuffix(f.String(), "id") {
			r.parameters[f.String()] = number
		}
	}
	if zone, ok := header["X-Remotebackend-Zone-Id"]; ok {
		r.parameters["zone-id"], _ = strconv.ParseFloat(zone, 64)
	}
	values, _ = url.ParseQuery(query)
	for key := range values {
		r.parameters[key] = values.Get(key)
	}
}

func (r *recorded) parse(t *testing.T, request string) {
	t.Helper()
	var parsed struct {
		Method     string
		Parameters map[string]any
	}
	if err := json.Unmarshal([]byte(request), &parsed); err != nil {
		t.Fatalf("%s: %v", request, err)
	}
	r.method, r.parameters = parsed.Method, parsed.Parameters
}

func readUnix(t *testing.T, file string) (list []recorded) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		switch body := strings.TrimSpace(string(line)); {
		case strings.HasPrefix(body, "> "):
			r := recorded{body: body[2:]}
			r.parse(t, r.body)
			list = append(list, r)
		case strings.HasPrefix(body, "< "):
			list[len(list)-1].result = resultOf(t, body[2:])
		}
	}
	return list
}

func resultOf(t *testing.T, answer string) any {
	t.Helper()
	var reply struct{ Result any }
	if err := json.Unmarshal([]byte(answer), &reply); err != nil {
		t.Fatalf("recorded answer %s: %v", answer, err)
	}
	return reply.Result
}

// raw is a recorded body as it was sent: octets that are no text were written \xab.
func raw(t *testing.T, body string) string {
	t.Helper()
	if !strings.Contains(body, `"salt": "\x`) {
		return body
	}
	return strings.NewReplacer(`\xab`, "\xab", `\xcd`, "\xcd").Replace(body)
}
