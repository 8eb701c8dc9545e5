package updater

import (
	"encoding/json"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"redyn/auth"
	"redyn/backend/dns"
)

// openAPI is what contrib/openapi.yaml says, as far as the code says it too.
type openAPI struct {
	Paths      map[string]map[string]yaml.Node
	Components struct {
		Parameters map[string]parameter
		Schemas    map[string]schema
	}
}

type parameter struct {
	Ref      string `yaml:"$ref"`
	Name, In string
	Required bool
}

type described struct {
	OperationID string `yaml:"operationId"`
	Parameters  []parameter
	RequestBody *content `yaml:"requestBody"`
	Responses   map[string]content
}

type content struct {
	Content map[string]struct{ Schema schema }
}

type schema struct {
	Ref                  string `yaml:"$ref"`
	Type                 string
	Required             []string
	Properties           map[string]schema
	AdditionalProperties *bool `yaml:"additionalProperties"`
	Items                *schema
	Enum                 []string
}

func readOpenAPI(t *testing.T) openAPI {
	t.Helper()
	text, err := os.ReadFile("../contrib/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var o openAPI
	if err := yaml.Unmarshal(text, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// The description has the operations of the code, and no others; each with its parameters and its
// status.
func TestOpenAPIOperations(t *testing.T) {
	o := readOpenAPI(t)
	seen := 0
	for _, op := range operations {
		path := o.Paths["/"+op.path]
		node, ok := path[strings.ToLower(op.method)]
		if !ok {
			t.Errorf("%s %s is not described", op.method, op.path)
			continue
		}
		seen++
		var d described
		if err := node.Decode(&d); err != nil {
			t.Fatal(err)
		}
		var shared []parameter
		if node := path["parameters"]; node.Kind != 0 {
			if err := node.Decode(&shared); err != nil {
				t.Fatal(err)
			}
		}
		o.check(t, op, d, append(d.Parameters, shared...))
	}
	for path, methods := range o.Paths {
		for method := range methods {
			if method != "parameters" {
				seen--
			}
		}
		if len(methods) == 0 {
			t.Errorf("%s has no operation", path)
		}
	}
	if seen != 0 {
		t.Errorf("%d operations are described that there are not", -seen)
	}
}

// check holds what is described of an operation against the code.
func (o *openAPI) check(t *testing.T, op operation, d described, parameters []parameter) {
	t.Helper()
	what := op.method + " " + op.path
	var query, path []string
	for _, p := range parameters {
		if name, ok := strings.CutPrefix(p.Ref, "#/components/parameters/"); ok {
			p = o.Components.Parameters[name]
		}
		switch {
		case p.In == "query":
			query = append(query, p.Name)
		case p.In == "path" && p.Required:
			path = append(path, "{"+p.Name+"}")
		default:
			t.Errorf("%s has the parameter %+v", what, p)
		}
	}
	var segments []string
	for segment := range strings.SplitSeq(op.path, "/") {
		if segment[0] == '{' {
			segments = append(segments, segment)
		}
	}
	if !slices.Equal(query, op.query) || !slices.Equal(path, segments) {
		t.Errorf("%s is described with %q and %q; it has %q and %q", what, query, path, op.query, segments)
	}
	if _, ok := d.Responses[strconv.Itoa(op.status)]; !ok || len(d.Responses) != 2 {
		t.Errorf("%s is described with the answers %v; it has %d", what, d.Responses, op.status)
	}
	if takes := slices.Contains([]string{"POST", "PUT", "PATCH"}, op.method); takes != (d.RequestBody != nil) {
		t.Errorf("%s is described with the body %v", what, d.RequestBody)
	}
	if name := handlerName(op); name != d.OperationID {
		t.Errorf("%s is described as %s; it is %s", what, d.OperationID, name)
	}
}

// handlerName is the name of the method that serves an operation.
func handlerName(op operation) string {
	name := runtime.FuncForPC(reflect.ValueOf(op.serve).Pointer()).Name()
	return name[strings.LastIndexByte(name, '.')+1:]
}

// schemas are the schemas of the description that are types of the code.
var schemas = map[string]any{
	"Zone": apiZone{}, "Zones": apiZones{}, "NewZone": newZone{},
	"RRset": apiRRset{}, "RRsets": apiRRsets{}, "RRsetValue": rrsetValue{}, "RRsetEdit": rrsetEdit{},
	"RRsetChanges": rrsetChanges{}, "RRsetChange": rrsetChange{},
	"Host": apiHost{}, "Hosts": apiHosts{}, "NewHost": newHost{}, "HostChange": hostChange{},
	"Credentials": apiCredentials{}, "NewCredential": newCredential{}, "Created": created{}, "CredentialChange": credentialChange{},
}

// The description has the members of the code's types, and says which are always there.
func TestOpenAPISchemas(t *testing.T) {
	o := readOpenAPI(t)
	for name, value := range schemas {
		s, ok := o.Components.Schemas[name]
		if !ok {
			t.Errorf("%s is not described", name)
			continue
		}
		read := s.AdditionalProperties != nil
		members := make(map[string]bool)
		for _, f := range reflect.VisibleFields(reflect.TypeOf(value)) {
			member, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			members[member] = true
			p, ok := s.Properties[member]
			if !ok {
				t.Errorf("%s has a member %s, which is not described", name, member)
			}
			if always := options != "omitempty"; !read && always != slices.Contains(s.Required, member) {
				t.Errorf("%s: whether %s is always there is described wrongly", name, member)
			}
			o.checkKind(t, name+"."+member, f.Type, p)
		}
		for member := range s.Properties {
			if !members[member] {
				t.Errorf("%s is described with %s, which it has not", name, member)
			}
		}
	}
}

// checkKind holds the kind of a member against the description.
func (o *openAPI) checkKind(t *testing.T, what string, typ reflect.Type, s schema) {
	t.Helper()
	for s.Ref != "" {
		s = o.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	want := map[reflect.Kind]string{
		reflect.String: "string", reflect.Bool: "boolean", reflect.Slice: "array", reflect.Struct: "string", // a time
		reflect.Int: "integer", reflect.Int32: "integer", reflect.Int64: "integer", reflect.Uint32: "integer",
	}[typ.Kind()]
	if s.Type != want && !(s.Type == "" && typ.Kind() == reflect.Slice) {
		t.Errorf("%s is described as %q; it is %q", what, s.Type, want)
	}
}

// A credential in JSON has no members but those described.
func TestOpenAPICredential(t *testing.T) {
	o := readOpenAPI(t)
	c := apiServer(t, Options{})
	c.creates(`{"kind":"token","hosts":"17","zones":"example.org","types":"A","networks":"127.0.0.1","expires":"2030-01-01T00:00:00Z","read_only":true}`)
	one := c.store.credentials[1]
	one.Revoked, one.LastUse = true, start
	for member, value := range decodeObject(t, one) {
		p, ok := o.Components.Schemas["Credential"].Properties[member]
		if !ok {
			t.Errorf("a credential has a member %s, which is not described", member)
		}
		if list, ok := value.([]any); ok && p.Items != nil && p.Items.Ref != "" {
			for area := range list[0].(map[string]any) {
				if _, ok := o.Components.Schemas["Area"].Properties[area]; !ok {
					t.Errorf("an area has a member %s, which is not described", area)
				}
			}
		}
	}
	if n := len(o.Components.Schemas["Credential"].Properties); n != len(decodeObject(t, one)) {
		t.Errorf("%d members of a credential are described; it has %d", n, len(decodeObject(t, one)))
	}
}

// decodeObject is a value as JSON has it.
func decodeObject(t *testing.T, v any) (object map[string]any) {
	t.Helper()
	text, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(text, &object)
	}
	if err != nil {
		t.Fatal(err)
	}
	return object
}

// What is described as one of several words is a word of the code.
func TestOpenAPIWords(t *testing.T) {
	o := readOpenAPI(t)
	for name, parse := range map[string]func(string) error{
		"Kind":           func(text string) error { _, err := dns.ParseKind(text); return err },
		"SerialPolicy":   func(text string) error { _, err := dns.ParseSerialPolicy(text); return err },
		"Policy":         func(text string) error { _, err := auth.ParseHostPolicy(text); return err },
		"CredentialKind": func(text string) error { _, err := auth.ParseKind(text); return err },
	} {
		words := o.Components.Schemas[name].Enum
		if len(words) < 3 {
			t.Errorf("%s is described as one of %q", name, words)
		}
		for _, word := range words {
			if err := parse(word); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
