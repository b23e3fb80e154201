package http

import (
	"bytes"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// maxMagic is how many bytes of a body tell what kind of program it is.
const maxMagic = 4

// readAnswer looks for a program in a server's first answer, by its type or its first
// bytes, and says whether there is nothing more to see.
func readAnswer(b []byte, f *fact.Facts) (seen bool) {
	const status = len("HTTP/1.1 ")
	b = skipBlank(b)
	if n := min(len(b), len("HTTP/1.")); string(b[:n]) != "HTTP/1."[:n] {
		return true
	}
	end, whole := headerEnd(b)
	if !whole {
		return end > maxAnswer
	}
	_, rest, _ := bytes.Cut(b, []byte("\n"))
	var h header
	h.read(rest)
	body := b[end:]
	kind, _, _ := bytes.Cut(h.kind, []byte(";"))
	if isProgram(bytes.TrimSpace(kind), body) {
		fact.SetRisk(&f.Risks, fact.RiskExecutable, true)
		return true
	}
	none := len(b) > status+2 && (b[status] == '1' || string(b[status:status+3]) == "204" || string(b[status:status+3]) == "304")
	return none || h.empty || len(body) >= maxMagic
}

// isProgram knows the types that programs are given (IANA's, and those that servers
// use), and what the formats of operating systems begin with.
func isProgram(kind, body []byte) bool {
	for _, program := range [...]string{
		"application/vnd.microsoft.portable-executable", "application/x-msdownload", "application/x-msdos-program",
		"application/x-dosexec", "application/x-msi", "application/x-ms-installer", "application/x-executable",
		"application/x-sharedlib", "application/x-elf", "application/x-mach-binary", "application/vnd.android.package-archive",
	} {
		if equalFold(kind, program) {
			return true
		}
	}
	if len(body) < maxMagic {
		return false
	}
	switch string(body[:maxMagic]) {
	case "\x7fELF", "dex\n", "\xcf\xfa\xed\xfe", "\xce\xfa\xed\xfe": // System V ABI; Dalvik; Mach-O, little-endian
		return true
	}
	// Two letters are little: a text may begin with them.
	return string(body[:2]) == "MZ" && !startsFold(kind, "text/") // PE format, MS-DOS stub
}

// awaits says that an answer is wanted and has not been seen.
func awaits(w *dissect.Window, client dissect.Side, f *fact.Facts) bool {
	if !w.Want.Answer {
		return false
	}
	server := 1 - client
	return !readAnswer(w.Stream[server], f) && !w.Closed[server] && !w.Closed[client]
}
