package view

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/netpol/netpol/cmd/netpol/internal/release"
)

// Key is a key pair that was made.
type Key struct {
	Private string `json:"private_key_file"`
	Public  string `json:"public_key_file"`
	Line    string `json:"public_key"`
	ID      string `json:"key_id"`
}

// KeyMade says where the halves of a new key are.
func KeyMade(w io.Writer, k Key, asJSON bool) error {
	k.Line = strings.TrimSpace(k.Line)
	if asJSON {
		return writeJSON(w, struct {
			FormatVersion string `json:"format_version"`
			Type          string `json:"type"` // key_made
			Key
		}{FormatVersion, "key_made", k})
	}
	_, err := fmt.Fprintf(w, "The private key is in %s: keep it secret.\nThe public key %s is in %s, for /etc/netpol/release.pub of each router:\n%s\n",
		cleanLine(k.Private), k.ID, cleanLine(k.Public), cleanLine(k.Line))
	return err
}

// Release is a release with the file that it is in.
type Release struct {
	File string
	*release.Release
}

type releaseJSON struct {
	FormatVersion string `json:"format_version"`
	Type          string `json:"type"` // release_signed, release_valid
	File          string `json:"file"`
	Key           string `json:"key_id"`
	release.Manifest
}

// Signed says what was signed.
func Signed(w io.Writer, r Release, asJSON bool, st Style) error {
	return r.write(w, "release_signed", fmt.Sprintf("Signed release %d: %s", r.Manifest.Serial, cleanLine(r.File)), asJSON, st)
}

// Verified says what a good release says.
func Verified(w io.Writer, r Release, asJSON bool, st Style) error {
	return r.write(w, "release_valid", fmt.Sprintf("Release %d is good: %s", r.Manifest.Serial, cleanLine(r.File)), asJSON, st)
}

func (r Release) write(w io.Writer, kind, head string, asJSON bool, st Style) error {
	m := r.Manifest
	if asJSON {
		return writeJSON(w, releaseJSON{FormatVersion, kind, r.File, r.Key, m})
	}
	fmt.Fprintln(w, st.in(head, bold))
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range [][2]string{
		{"target", m.Target},
		{"created", m.Created.Format(time.RFC3339)},
		{"expires", m.Expires.Format(time.RFC3339)},
		{"key", r.Key},
		{"bundle", ShortDigest(m.Bundle.Digest)},
		{"author", m.Author},
		{"message", m.Message},
		{"commit", m.Commit},
	} {
		if row[1] != "" {
			fmt.Fprintf(tw, "  %s\t%s\n", row[0], cleanLine(row[1]))
		}
	}
	return tw.Flush()
}

type refusedJSON struct {
	FormatVersion string         `json:"format_version"`
	Type          string         `json:"type"` // release_refused
	Reason        release.Reason `json:"reason"`
	Error         string         `json:"error"`
}

// RefusedJSON writes why a release is refused.
func RefusedJSON(w io.Writer, reason release.Reason, err error) error {
	return writeJSON(w, refusedJSON{FormatVersion, "release_refused", reason, err.Error()})
}

// UpToDate says that a source has nothing new.
func UpToDate(w io.Writer, name string) error {
	_, err := fmt.Fprintf(w, "Up to date: %s.\n", cleanLine(name))
	return err
}

type upToDateJSON struct {
	FormatVersion string `json:"format_version"`
	Type          string `json:"type"` // up_to_date
	Serial        uint64 `json:"serial,omitempty"`
	Digest        string `json:"bundle_digest"`
}

// UpToDateJSON is UpToDate as a line; serial is 0 for policies that nobody signed.
func UpToDateJSON(w io.Writer, serial uint64, digest string) error {
	return writeJSON(w, upToDateJSON{FormatVersion, "up_to_date", serial, digest})
}
