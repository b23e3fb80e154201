package view

import "io"

// TopJSON writes the rows of netpol top as one object.
func TopJSON[Row any](w io.Writer, name string, rows []Row) error {
	if rows == nil {
		rows = []Row{}
	}
	return writeJSON(w, struct {
		FormatVersion string `json:"format_version"`
		View          string `json:"view"`
		Rows          []Row  `json:"rows"`
	}{FormatVersion, name, rows})
}
