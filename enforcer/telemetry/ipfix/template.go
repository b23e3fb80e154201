package ipfix

import "encoding/binary"

// Sets of templates (RFC 7011, 3.3.2).
const (
	setTemplate        = 2
	setOptionsTemplate = 3
)

// Template numbers, from 256 on (RFC 7011, 3.4.1). Those of flows come first: IPv4,
// IPv6, and both with addresses that are translated.
const (
	templateFlow        = 256
	templateFlows       = 4
	templateApplication = templateFlow + templateFlows + iota - 2
	templateInterface
	templateSampling
	templateStatistics
	templateElement
)

// options are the elements of records that are not of flows; the first so many are
// what a record is of, its scope (RFC 7011, 3.4.2.2).
type options struct {
	id     uint16
	scope  int
	fields []element
}

func optionsTemplates() []options {
	return []options{
		// applicationId; applicationName, applicationDescription
		{templateApplication, 1, []element{{id: 95, length: applicationIDLength}, {id: 96, length: applicationName}, {id: 94, length: applicationName}}},
		// ingressInterface; interfaceName
		{templateInterface, 1, []element{{id: 10, length: 4}, {id: 82, length: interfaceName}}},
		// observationDomainId; selectorAlgorithm, samplingPacketInterval, samplingPacketSpace (RFC 5477)
		{templateSampling, 1, []element{{id: 149, length: 4}, {id: 302, length: 8}, {id: 304, length: 2}, {id: 305, length: 4}, {id: 306, length: 4}}},
		// exportedMessageTotalCount, exportedFlowRecordTotalCount, notSentFlowTotalCount
		{templateStatistics, 1, []element{{id: 149, length: 4}, {id: 41, length: 8}, {id: 42, length: 8}, {id: 164, length: 8}}},
		// privateEnterpriseNumber, informationElementId; DataType, Name (RFC 5610)
		{templateElement, 2, []element{{id: 346, length: 4}, {id: 303, length: 2}, {id: 339, length: 1}, {id: 341, length: variable}}},
	}
}

// templates are the templates of flows, by what is in them.
func templates() [templateFlows][]field {
	var out [templateFlows][]field
	for i := range out {
		out[i] = append(addressFields(i&1 != 0, i&2 != 0), flowFields()...)
	}
	return out
}

// appendTemplates appends all template records, each in a set of its own.
func appendTemplates(sets [][]byte, flows [templateFlows][]field, pen uint32) [][]byte {
	for i, fields := range flows {
		b := openSet(nil, setTemplate)
		b = binary.BigEndian.AppendUint16(b, uint16(templateFlow+i))
		b = binary.BigEndian.AppendUint16(b, uint16(len(fields)))
		for _, f := range fields {
			b = f.appendSpecifier(b, pen)
		}
		sets = append(sets, closeSet(b, 0))
	}
	for _, o := range optionsTemplates() {
		b := openSet(nil, setOptionsTemplate)
		b = binary.BigEndian.AppendUint16(b, o.id)
		b = binary.BigEndian.AppendUint16(b, uint16(len(o.fields)))
		b = binary.BigEndian.AppendUint16(b, uint16(o.scope))
		for _, e := range o.fields {
			b = e.appendSpecifier(b, pen)
		}
		sets = append(sets, closeSet(b, 0))
	}
	return sets
}

// openSet begins a set (RFC 7011, 3.3.2).
func openSet(b []byte, id uint16) []byte {
	return append(binary.BigEndian.AppendUint16(b, id), 0, 0)
}

// closeSet writes the length of the set that began at start.
func closeSet(b []byte, start int) []byte {
	binary.BigEndian.PutUint16(b[start+2:], uint16(len(b)-start))
	return b
}
