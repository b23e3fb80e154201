package telemetry

// Why is the account of one flow's verdict: what was seen, and which policy
// made what of it.
type Why struct {
	Flow     Flow        `json:"flow"`
	Complete bool        `json:"complete"` // analysis is over
	Evidence []Evidence  `json:"evidence"`
	Policies []PolicyWhy `json:"policies"`
}

// Evidence is one fact that is known of the flow.
type Evidence struct {
	Attribute string `json:"attribute"` // as criteria write it
	Value     string `json:"value"`
}

// PolicyWhy is what one policy made of the flow.
type PolicyWhy struct {
	Name     string `json:"name"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Criteria string `json:"criteria"`
	Matched  bool   `json:"matched"`
	Terms    []Term `json:"terms"`
}

// Term is one comparison of a policy's criteria.
type Term struct {
	Text  string `json:"text"`
	Value string `json:"value"` // what the flow has there
	Holds bool   `json:"holds"`
}
