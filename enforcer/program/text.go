package program

import (
	"slices"
	"strings"
)

// about asks a text test about one value.
func (t *test) about(v string) bool {
	switch t.op {
	case opEqual:
		if t.set != nil {
			_, ok := t.set[v]
			return ok
		}
		return slices.Contains(t.text, v)
	case opUnder:
		return t.under(v)
	case opPrefix:
		for _, s := range t.text {
			if strings.HasPrefix(v, s) {
				return true
			}
		}
	case opSuffix:
		for _, s := range t.text {
			if strings.HasSuffix(v, s) {
				return true
			}
		}
	case opContains:
		for _, s := range t.text {
			if strings.Contains(v, s) {
				return true
			}
		}
	case opMatches:
		for _, re := range t.res {
			if re.MatchString(v) {
				return true
			}
		}
	case opRange, opNetwork, opFlag, opAll, opAny, opCode:
	}
	return false
}

// under says that a host name is one of the domains, or below one: "zoom.us"
// holds for us02web.zoom.us, not for notzoom.us.
func (t *test) under(name string) bool {
	if t.set != nil {
		for more := name != ""; more; {
			if _, ok := t.set[name]; ok {
				return true
			}
			_, name, more = strings.Cut(name, ".")
		}
		return false
	}
	for _, d := range t.text {
		if rest, ok := strings.CutSuffix(name, d); ok && d != "" && (rest == "" || rest[len(rest)-1] == '.') {
			return true
		}
	}
	return false
}
