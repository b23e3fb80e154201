package control

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/telemetry"
)

// answerLimit is how long a client waits for an answer: a reload compiles
// tables of ten thousand policies.
const answerLimit = 30 * time.Second

// Client asks a running netpold. Not safe for concurrent use; caller must
// Close.
type Client struct {
	conn  net.Conn
	in    *bufio.Reader
	limit time.Duration // 0 is answerLimit
}

// Dial connects to the socket at path. The error wraps fs.ErrNotExist when
// there is no socket, and syscall.ECONNREFUSED when nobody listens on it.
func Dial(path string) (*Client, error) {
	conn, err := net.DialTimeout("unix", path, 2*time.Second)
	if err != nil {
		return nil, fmt.Errorf("reach netpold: %w", err)
	}
	return &Client{conn: conn, in: bufio.NewReader(conn)}, nil
}

// Within has answers waited for no longer than d: somebody looks on, and nothing is asked
// that takes long. The error of one that does not come wraps os.ErrDeadlineExceeded.
func (c *Client) Within(d time.Duration) *Client {
	c.limit = d
	return c
}

// Close hangs up.
func (c *Client) Close() error { return c.conn.Close() }

// Status asks how netpold is.
func (c *Client) Status() (Status, error) {
	return c.status(request{Op: opStatus})
}

// Reload has netpold take the applied bundle from disk. The status tells which
// one is in force then, also when there is an error.
func (c *Client) Reload() (Status, error) {
	return c.status(request{Op: opReload})
}

func (c *Client) status(r request) (Status, error) {
	a, err := c.ask(r)
	if a.Status == nil && err == nil {
		err = fmt.Errorf("ask netpold for %s: an answer without a status", r.Op)
	}
	if a.Status == nil {
		return Status{}, err
	}
	return *a.Status, err
}

// Flows lists at most limit flows, and never more than MaxFlows.
func (c *Client) Flows(limit int) ([]telemetry.Flow, error) {
	a, err := c.ask(request{Op: opFlows, Max: limit})
	return a.Flows, err
}

// Overview asks a question about the flows of which the first policy of a program holds.
func (c *Client) Overview(q telemetry.Question, p *artifact.Program) (telemetry.Overview, error) {
	a, err := c.ask(request{Op: opOverview, Question: &q, Where: p})
	if a.Overview == nil && err == nil {
		err = errors.New("ask netpold for overview: an answer without one")
	}
	if err != nil {
		return telemetry.Overview{}, err
	}
	return *a.Overview, nil
}

// Why asks for the account of a flow, by the tuple of either direction; ok is
// false when netpold does not know it.
func (c *Client) Why(t flow.Tuple) (why telemetry.Why, ok bool, err error) {
	a, err := c.ask(request{Op: opWhy, Tuple: &t})
	if err != nil || a.Why == nil {
		return telemetry.Why{}, false, err
	}
	return *a.Why, true, nil
}

// TrySinks gives a record to the sinks of some names, all where none is named, and says
// what became of it, which takes ten seconds at most.
func (c *Client) TrySinks(names []string) ([]telemetry.SinkTrial, error) {
	a, err := c.ask(request{Op: opTrySinks, Names: names})
	return a.Trials, err
}

// Changes lists what others did to netpol's table since netpold runs, the oldest
// first.
func (c *Client) Changes() ([]Change, error) {
	a, err := c.ask(request{Op: opChanges})
	return a.Changes, err
}

// Release has netpold let go of the table for Lease at most.
func (c *Client) Release() error {
	_, err := c.ask(request{Op: opRelease})
	return err
}

// Adopt has netpold own the table again, if it is to.
func (c *Client) Adopt() error {
	_, err := c.ask(request{Op: opAdopt})
	return err
}

// ask sends one request and reads its answer.
func (c *Client) ask(r request) (a answer, err error) {
	r.Version = Version
	if err := c.conn.SetDeadline(time.Now().Add(cmp.Or(c.limit, answerLimit))); err != nil {
		return a, fmt.Errorf("ask netpold for %s: %w", r.Op, err)
	}
	// A server that refuses hangs up after its answer, which may be before it
	// has read the request: the answer tells more than the failed write.
	sendErr := json.NewEncoder(c.conn).Encode(r)
	line, err := c.line()
	if err != nil {
		return a, fmt.Errorf("ask netpold for %s: %w", r.Op, errors.Join(sendErr, err))
	}
	if err := json.Unmarshal(line, &a); err != nil {
		return a, fmt.Errorf("ask netpold for %s: read answer: %w", r.Op, err)
	}
	if a.Error == unknownRequest(r.Op) {
		return a, fmt.Errorf("the netpold that runs is older than this netpol and does not know the request %s: install both of one version and start netpold again", r.Op)
	}
	if a.Error != "" {
		return a, fmt.Errorf("netpold answers to %s: %s", r.Op, a.Error)
	}
	return a, nil
}

// line reads one line of at most maxAnswer bytes.
func (c *Client) line() ([]byte, error) {
	var line []byte
	for {
		part, err := c.in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case err == nil:
			return line, nil
		case errors.Is(err, io.EOF):
			return nil, io.ErrUnexpectedEOF
		case !errors.Is(err, bufio.ErrBufferFull):
			return nil, err
		case len(line) > maxAnswer:
			return nil, errors.New("the answer is too long")
		}
	}
}
