package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// arrows are the packages of this module that each package may import: the picture of how the parts
// of redyn depend on each other. Tools in contrib may import what they measure.
var arrows = map[string][]string{
	"cmd/redyn":            {"backend", "backend/dns", "backend/dns/zonefile", "backend/zonedb", "updater", "auth", "redisstore"},
	"backend":              {"backend/dns", "backend/dns/zonefile", "backend/socket"},
	"backend/dns":          {},
	"backend/dns/zonefile": {"backend/dns"},
	"backend/socket":       {},
	"backend/zonedb":       {"backend/dns"},
	"updater":              {"auth", "backend/dns", "backend/dns/zonefile", "backend/socket"},
	"auth":                 {"backend/dns"},
	"redisstore":           {"auth", "backend/dns", "backend/socket"},
}

// importers are the packages that alone may import a library.
var importers = map[string][]string{
	"github.com/redis/go-redis":   {"redisstore"},
	"github.com/valyala/fasthttp": {"backend", "updater", "cmd/redyn"},
	"github.com/miekg/dns":        {"backend/dns/zonefile", "cmd/redyn"},
	"github.com/urfave/cli":       {"cmd/redyn"},
	"github.com/alicebob":         {"cmd/redyn"},
}

// topLevel is all that may stand at the top of the repository, besides files that begin with a dot.
var topLevel = []string{
	"cmd", "backend", "updater", "auth", "redisstore", "contrib",
	"go.mod", "go.sum", "Dockerfile", "README.md", "LICENSE", "CHANGELOG.md",
}

const root = "../.."

func TestImports(t *testing.T) {
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && (name == "testdata" || name == "contrib" || strings.HasPrefix(name, ".") && path != root) {
			return fs.SkipDir
		}
		if strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			checkImports(t, path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func checkImports(t *testing.T, path string) {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
	if err != nil {
		t.Error(err)
		return
	}
	dir, err := filepath.Rel(root, filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	pkg := filepath.ToSlash(dir)
	allowed, known := arrows[pkg]
	if !known {
		t.Errorf("%s: package %s is not in the picture", path, pkg)
	}
	for _, spec := range file.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		if ours, ok := strings.CutPrefix(imported, "redyn/"); ok && !slices.Contains(allowed, ours) {
			t.Errorf("%s: %s imports %s, against the arrows", path, pkg, ours)
		}
		if pkg == "backend/dns" && strings.Contains(imported, ".") {
			t.Errorf("%s: imports %s; backend/dns has the standard library only", path, imported)
		}
		for library, who := range importers {
			if strings.HasPrefix(imported, library) && !slices.Contains(who, pkg) {
				t.Errorf("%s: %s imports %s; only %v may", path, pkg, imported, who)
			}
		}
	}
}

func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasPrefix(name, ".") && !slices.Contains(topLevel, name) && !isIgnored(name) {
			t.Errorf("%s does not belong at the top of the repository", name)
		}
	}
}

// isIgnored reports whether .gitignore names what is built there by hand.
func isIgnored(name string) bool {
	return name == "redyn" || slices.Contains([]string{".test", ".prof", ".out"}, filepath.Ext(name))
}
