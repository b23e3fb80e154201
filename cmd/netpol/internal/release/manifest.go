package release

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/netpol/netpol/compiler/artifact"
)

// AnyTarget is the target of a release that is for every router.
const AnyTarget = "any"

// Bounds of a manifest.
const (
	maxManifest = 16 << 10 // bytes
	maxText     = 1 << 10  // bytes of message and author
	maxSerial   = 1 << 53  // what every reader of JSON holds exactly
	// maxLife bounds what a forgotten release can do.
	maxLife = 10 * 365 * 24 * time.Hour
)

// Manifest is what is signed.
type Manifest struct {
	// Serial goes up with each release of one target; a router never goes back.
	Serial  uint64    `json:"serial"`
	Created time.Time `json:"created"` // UTC, whole seconds
	Expires time.Time `json:"expires"` // from then on no router begins to use it
	// Target is the name of a router, or of a group of them, or AnyTarget.
	Target  string  `json:"target"`
	Bundle  Content `json:"bundle"`
	Author  string  `json:"author,omitempty"`
	Message string  `json:"message,omitempty"`
	Commit  string  `json:"commit,omitempty"` // of the policy files, in git
}

// Content says which bundle is meant.
type Content struct {
	Digest string `json:"digest"` // of the payload, as plan and history show it
	SHA256 string `json:"sha256"` // of the encoded file, hex
	Bytes  int    `json:"bytes"`  // of the encoded file
}

var (
	targetName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)
	commitName = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)
)

// CheckTarget is an error unless name can be that of a router.
func CheckTarget(name string) error {
	if !targetName.MatchString(name) {
		return fmt.Errorf("target %q: a name has at most 63 letters, digits, dots, underscores and hyphens, and begins with a letter or digit", name)
	}
	return nil
}

// validate checks everything that holds for each manifest at any time.
func (m *Manifest) validate() error {
	switch {
	case m.Serial < 1 || m.Serial > maxSerial:
		return fmt.Errorf("serial %d: it goes from 1 to %d", m.Serial, uint64(maxSerial))
	case !isStamp(m.Created) || !isStamp(m.Expires):
		return errors.New("times are whole seconds in UTC")
	case !m.Expires.After(m.Created):
		return fmt.Errorf("it expires at %s, before it was created at %s", stamp(m.Expires), stamp(m.Created))
	case m.Expires.Sub(m.Created) > maxLife:
		return fmt.Errorf("it lasts for %s; at most %d days are allowed", m.Expires.Sub(m.Created), int(maxLife.Hours()/24))
	case m.Commit != "" && !commitName.MatchString(m.Commit):
		return fmt.Errorf("commit %q is none of git's", m.Commit)
	case m.Bundle.Bytes < 1 || m.Bundle.Bytes > artifact.MaxBytes:
		return fmt.Errorf("a bundle of %d bytes; at most %d are allowed", m.Bundle.Bytes, artifact.MaxBytes)
	case !isDigest(m.Bundle.SHA256) || !isDigest(m.Bundle.Digest):
		return errors.New("the digest of the bundle is no sha256")
	}
	for _, text := range []string{m.Author, m.Message} {
		if len(text) > maxText || !printable(text) {
			return fmt.Errorf("author and message are at most %d bytes of printable text in one line", maxText)
		}
	}
	return CheckTarget(m.Target)
}

// isStamp reports whether a time has one form only when it is written.
func isStamp(t time.Time) bool {
	_, offset := t.Zone()
	return offset == 0 && t.Nanosecond() == 0 && t.Year() >= 2000 && t.Year() < 10000
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func isDigest(s string) bool {
	raw, err := hex.DecodeString(s)
	return err == nil && len(raw) == 32 && hex.EncodeToString(raw) == s
}

func printable(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsGraphic(r) {
			return false
		}
	}
	return true
}

// encode is the one form of a manifest: a line of JSON.
func (m *Manifest) encode() ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(m); err != nil {
		return nil, fmt.Errorf("encode manifest: %w", err)
	}
	if buf.Len() > maxManifest {
		return nil, fmt.Errorf("encode manifest: %d bytes of at most %d", buf.Len(), maxManifest)
	}
	return buf.Bytes(), nil
}

// decodeManifest reads what encode wrote, and nothing else: two readers that
// understand one text in two ways (a field twice, in capitals) are a way round a
// signature.
func decodeManifest(data []byte) (*Manifest, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	m := new(Manifest)
	if err := dec.Decode(m); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if err := m.validate(); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	again, err := m.encode()
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, data) {
		return nil, errors.New("manifest: not in the form that netpol writes")
	}
	return m, nil
}
