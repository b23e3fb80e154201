package view

import (
	"fmt"
	"io"
)

// Version is what netpol version prints.
type Version struct {
	Version      string `json:"version"`
	Go           string `json:"go"`
	Platform     string `json:"platform"`
	BundleFormat int    `json:"bundle_format"`
	ABI          string `json:"fact_abi"`
}

// Text writes it for people.
func (v Version) Text(w io.Writer) error {
	_, err := fmt.Fprintf(w, "netpol %s\n%s %s\nbundle format %d, fact table %s\n",
		v.Version, v.Go, v.Platform, v.BundleFormat, shorten(v.ABI, 12))
	return err
}

// JSON writes it for machines.
func (v Version) JSON(w io.Writer) error {
	return writeJSON(w, struct {
		FormatVersion string `json:"format_version"`
		Version
	}{FormatVersion, v})
}
