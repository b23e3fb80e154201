// Package buildinfo says which build of netpol a program is. Both programs ask it. It imports the standard
// library alone.
package buildinfo

import "runtime/debug"

// release is the version of a package. The linker sets it (-X, in .ci/dist), so it is a variable.
var release string

// Version is the version of the package that the program is from, or the module's where go install set one, or the
// commit where the build saw a checkout; "devel" if none of that is known.
func Version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	return versionOf(info)
}

func versionOf(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	revision, modified := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 12:
			revision = "-" + s.Value[:12]
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = "+changes"
		}
	}
	if revision == "" {
		modified = ""
	}
	return "devel" + revision + modified
}
