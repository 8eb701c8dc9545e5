package main

import (
	"cmp"
	"runtime/debug"
)

// version is set by the linker for a release; else the build information tells.
var version string

// programVersion is the version of this program.
func programVersion() string {
	revision, _ := revision()
	info, ok := debug.ReadBuildInfo()
	module := ""
	if ok && info.Main.Version != "(devel)" {
		module = info.Main.Version
	}
	return cmp.Or(version, module, revision, "devel")
}

// revision is the commit that this program was built from, if that is known.
func revision() (hash string, modified bool) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", false
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			hash = s.Value
		case "vcs.modified":
			modified = s.Value == "true"
		}
	}
	return hash, modified
}
