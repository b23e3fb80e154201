package view

import (
	"io"
	"time"

	"github.com/netpol/netpol/enforcer/telemetry"
)

// TopJSON writes rows of netpol top as one document, with what all connections carry that
// are meant. Rates are bytes a second.
func TopJSON[Row any](w io.Writer, name string, total telemetry.Sum, rows []Row) error {
	if rows == nil {
		rows = []Row{}
	}
	return writeJSON(w, struct {
		FormatVersion string        `json:"format_version"`
		View          string        `json:"view"`
		Time          time.Time     `json:"time"`
		Total         telemetry.Sum `json:"total"`
		Rows          []Row         `json:"rows"`
	}{FormatVersion, name, time.Now().UTC().Truncate(time.Millisecond), total, rows})
}
