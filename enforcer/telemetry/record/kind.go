package record

// SchemaVersion is the version of all records. It goes up when a field goes or
// means something else; new fields do not count.
const SchemaVersion = 1

// Kind is the type of a record.
type Kind uint8

// Kinds, in the order of the documentation.
const (
	KindFlow Kind = iota
	KindFlowUpdate
	KindFlowStats
	KindFlowEnd
	KindPolicyMatch
	KindAgentStatus
	KindInterfaceStats
	KindEndpoints
	KindAggregate
	kinds
)

// names are the kinds' words on the wire. Netify Agent v5 calls flow_update
// flow_dpi_update and flow_end flow_purge.
var names = [kinds]string{
	"flow", "flow_update", "flow_stats", "flow_end", "policy_match", "agent_status", "interface_stats", "endpoints",
	"aggregate",
}

// String is the kind's word, as a record's type has it and a sink names it.
func (k Kind) String() string {
	if k < kinds {
		return names[k]
	}
	return "unknown"
}

// KindOf is the kind of a word.
func KindOf(word string) (Kind, bool) {
	for k, name := range names {
		if name == word {
			return Kind(k), true
		}
	}
	return 0, false
}

// Kinds is a set of kinds.
type Kinds uint16

// Set is the set of some kinds.
func Set(list ...Kind) (s Kinds) {
	for _, k := range list {
		s |= 1 << k
	}
	return s
}

// Has says that a kind is in the set.
func (s Kinds) Has(k Kind) bool { return s&(1<<k) != 0 }

// Record is one record of any kind.
type Record interface {
	// Kind is the record's type.
	Kind() Kind
	// AppendJSON appends the record as one JSON object without a line end.
	AppendJSON([]byte) []byte
	// AppendMsgpack appends the record as one map of MessagePack.
	AppendMsgpack([]byte) []byte
}
