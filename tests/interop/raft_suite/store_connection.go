// The protocol between file_snapshot.go and the server of server.ts. A
// connection to the Unix socket that the variable RAFT_SNAPSHOTS_SOCKET names
// carries frames: a byte for the kind, four bytes for the length (big-endian),
// the payload.
package raft

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
)

const storeSocketVariable = "RAFT_SNAPSHOTS_SOCKET"

// The kinds of frames; frames.ts has the same.
const (
	storeFrameJSON   = 'j' // a request, or the answer to it
	storeFrameError  = 'e' // the message of an error, in place of an answer
	storeFrameData   = 'd' // bytes of a state
	storeFrameClose  = 'c' // the state is complete
	storeFrameCancel = 'x' // the state is given up
)

// storeFrameSizeMax is the largest frame that is sent to the server, or
// accepted from it.
const storeFrameSizeMax = 1 << 20

// storeRequest is the first frame of a connection.
type storeRequest struct {
	Verb   string     `json:"verb"`
	Base   string     `json:"base"`
	Retain int        `json:"retain"`
	ID     string     `json:"id,omitempty"`
	Meta   *storeMeta `json:"meta,omitempty"`
}

type storeConnection struct {
	conn net.Conn
	in   *bufio.Reader
}

func dialStore() (*storeConnection, error) {
	conn, err := net.Dial("unix", os.Getenv(storeSocketVariable))
	if err != nil {
		return nil, fmt.Errorf("no server at the socket in %s: %w", storeSocketVariable, err)
	}
	return &storeConnection{conn, bufio.NewReaderSize(conn, 64<<10)}, nil
}

func (c *storeConnection) close() error {
	return c.conn.Close()
}

func (c *storeConnection) send(kind byte, payload []byte) error {
	header := binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(payload)))
	frame := net.Buffers{header, payload}
	_, err := frame.WriteTo(c.conn)
	return err
}

func (c *storeConnection) sendRequest(request storeRequest) error {
	payload, err := json.Marshal(request)
	if err != nil {
		return err
	}
	return c.send(storeFrameJSON, payload)
}

// receive gives the next frame; that of an error is an error.
func (c *storeConnection) receive() (byte, []byte, error) {
	var header [5]byte
	if _, err := io.ReadFull(c.in, header[:]); err != nil {
		return 0, nil, fmt.Errorf("the store's server ended: %w", noEOF(err))
	}
	length := binary.BigEndian.Uint32(header[1:])
	if length > storeFrameSizeMax {
		return 0, nil, fmt.Errorf("a frame of %d bytes, expected at most %d", length, storeFrameSizeMax)
	}
	payload := make([]byte, length)
	if _, err := io.ReadFull(c.in, payload); err != nil {
		return 0, nil, fmt.Errorf("the store's server ended: %w", noEOF(err))
	}
	if header[0] == storeFrameError {
		return 0, nil, errors.New(string(payload))
	}
	return header[0], payload, nil
}

// noEOF keeps a server that has ended from looking like the end of a state.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (c *storeConnection) receiveAnswer(answer any) error {
	kind, payload, err := c.receive()
	if err != nil {
		return err
	}
	if kind != storeFrameJSON {
		return fmt.Errorf("a frame %q, expected an answer", kind)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(payload, answer)
}

// receiveData gives the next bytes of a state, and io.EOF at its end.
func (c *storeConnection) receiveData() ([]byte, error) {
	kind, payload, err := c.receive()
	switch {
	case err != nil:
		return nil, err
	case kind == storeFrameClose:
		return nil, io.EOF
	case kind == storeFrameData:
		return payload, nil
	default:
		return nil, fmt.Errorf("a frame %q, expected a state", kind)
	}
}

// storeState reads a state as its frames come in.
type storeState struct {
	server *storeConnection
	rest   []byte
	err    error
}

func (s *storeState) Read(p []byte) (int, error) {
	for len(s.rest) == 0 && s.err == nil && len(p) > 0 {
		s.rest, s.err = s.server.receiveData()
	}
	if len(s.rest) == 0 {
		return 0, s.err
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *storeState) Close() error {
	return s.server.close()
}

// storeServer and storeMeta are Server and SnapshotMeta as wire.ts spells them:
// integers as decimal strings, bytes and strings in base64.
type storeServer struct {
	Suffrage ServerSuffrage `json:"suffrage,string"`
	ID       []byte         `json:"id"`
	Address  []byte         `json:"address"`
}

type storeMeta struct {
	Version            SnapshotVersion `json:"version,string"`
	ID                 []byte          `json:"id"`
	Index              uint64          `json:"index,string"`
	Term               uint64          `json:"term,string"`
	Peers              []byte          `json:"peers"`
	Servers            []storeServer   `json:"servers"`
	ConfigurationIndex uint64          `json:"configurationIndex,string"`
	Size               int64           `json:"size,string"`
}

func toStoreMeta(meta SnapshotMeta) *storeMeta {
	wire := &storeMeta{
		Version:            meta.Version,
		Index:              meta.Index,
		Term:               meta.Term,
		ConfigurationIndex: meta.ConfigurationIndex,
	}
	for _, server := range meta.Configuration.Servers {
		wire.Servers = append(wire.Servers, storeServer{
			Suffrage: server.Suffrage,
			ID:       []byte(server.ID),
			Address:  []byte(server.Address),
		})
	}
	return wire
}

func (m storeMeta) toGo() *SnapshotMeta {
	meta := &SnapshotMeta{
		Version:            m.Version,
		ID:                 string(m.ID),
		Index:              m.Index,
		Term:               m.Term,
		Peers:              m.Peers,
		ConfigurationIndex: m.ConfigurationIndex,
		Size:               m.Size,
	}
	for _, server := range m.Servers {
		meta.Configuration.Servers = append(meta.Configuration.Servers, Server{
			Suffrage: server.Suffrage,
			ID:       ServerID(server.ID),
			Address:  ServerAddress(server.Address),
		})
	}
	return meta
}
