//go:build sink_mqtt || sink_nats

package sink

import (
	"bytes"
	"cmp"
)

// batchMost bounds the records of a message, before compression: a quarter of what a
// server of NATS takes unless it is told otherwise.
const batchMost = 256 << 10

// letter is records that go as one message.
type letter struct {
	topic   string
	records []byte // as they waited
	payload []byte // what is sent
}

// letters makes messages of records: of each its own, or of several with one topic,
// and if the sink asks for that compressed.
type letters struct {
	runner *runner
	topics templater
	packer packer
}

func newLetters(r *runner, clean func(string) string) (*letters, error) {
	pack, err := newPacker(r.sink.Compression())
	if err != nil {
		return nil, err
	}
	topics := templater{encoding: &r.encoding, text: r.sink.Topic, router: clean(routerName()), clean: clean}
	return &letters{runner: r, topics: topics, packer: pack}, nil
}

func (l *letters) batched() bool { return l.runner.sink.Batch > 1 }

// content is the media type of a message, and encoding what it is compressed by.
func (l *letters) content() (media, encoding string) {
	if l.batched() {
		return l.runner.several, l.runner.sink.Compression()
	}
	return l.runner.content, ""
}

// next is the messages that may be under way together, of at most window times a batch
// of records, and how many bytes of lines they are. The records of a message are most
// bytes together, or one.
func (l *letters) next(lines []byte, window, most int) (list []letter, n int, _ error) {
	if !l.batched() {
		for _, line := range windowOf(&l.runner.encoding, lines, window) {
			list, n = append(list, letter{l.topics.of(line), line, l.runner.bare(line)}), n+len(line)
		}
		return list, n, nil
	}
	most = min(most, batchMost)
	open := map[string]int{} // the place of the last letter to a topic
	counts := []int{}
	for _, line := range windowOf(&l.runner.encoding, lines, window*l.runner.sink.Batch) {
		if n > 0 && n+len(line) > window*most {
			break
		}
		n += len(line)
		topic := l.topics.of(line)
		i, there := open[topic]
		if !there || counts[i] == l.runner.sink.Batch || len(list[i].records)+len(line) > most {
			i = len(list)
			open[topic], list, counts = i, append(list, letter{topic: topic}), append(counts, 0)
		}
		list[i].records, counts[i] = append(list[i].records, line...), counts[i]+1
	}
	for i := range list {
		body, err := packed(l.packer, list[i].records)
		if err != nil {
			return nil, 0, err
		}
		if list[i].payload = body; l.packer != nil {
			list[i].payload = bytes.Clone(body)
		}
	}
	return list, n, nil
}

// done is how many bytes need not be sent again, of n, and the first of the errors:
// those before it, or where batches took records out of their order none.
func (l *letters) done(list []letter, n int, errs []error) (int, error) {
	written := 0
	for i, err := range errs {
		switch {
		case err == nil:
			written += len(list[i].records)
		case l.batched():
			return 0, cmp.Or(errs...)
		default:
			return written, err
		}
	}
	return n, nil
}
