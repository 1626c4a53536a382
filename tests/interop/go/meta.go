package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/hashicorp/raft"
)

// fileMeta is raft's fileSnapshotMeta, which is not exported, field for field.
type fileMeta struct {
	raft.SnapshotMeta
	CRC []byte
}

// decodeMeta reads as readMeta does in file_snapshot.go.
func decodeMeta(text io.Reader) (fileMeta, error) {
	var meta fileMeta
	err := json.NewDecoder(bufio.NewReader(text)).Decode(&meta)
	return meta, err
}

// encodeMeta writes as writeMeta does in file_snapshot.go.
func encodeMeta(meta any) []byte {
	var text bytes.Buffer
	if err := json.NewEncoder(&text).Encode(meta); err != nil {
		panic(err) // every field of a meta can be written
	}
	return text.Bytes()
}

type decodeMetasArgs struct {
	Texts [][]byte `json:"texts"`
}

type decodedMeta struct {
	Meta  *wireMeta `json:"meta,omitempty"`
	Error string    `json:"error,omitempty"`
}

func decodeMetas(args decodeMetasArgs) ([]decodedMeta, error) {
	decoded := make([]decodedMeta, len(args.Texts))
	for i, text := range args.Texts {
		meta, err := decodeMeta(bytes.NewReader(text))
		if err != nil {
			decoded[i].Error = err.Error()
			continue
		}
		wire := toWire(meta)
		decoded[i].Meta = &wire
	}
	return decoded, nil
}

type reencodeArgs struct {
	Path string `json:"path"`
}

// reencodeMeta reads a file, and gives the bytes that Go writes for it.
func reencodeMeta(args reencodeArgs) ([]byte, error) {
	file, err := os.Open(args.Path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	meta, err := decodeMeta(file)
	if err != nil {
		return nil, err
	}
	return encodeMeta(&meta), nil
}

// oldMeta is the metadata of raft before it had versions (until 2016).
type oldMeta struct {
	ID    string
	Index uint64
	Term  uint64
	Peers []byte
	Size  int64
	CRC   []byte
}

type encodeMetasArgs struct {
	Seed  uint32 `json:"seed"`
	Count int    `json:"count"`
}

type encodedMeta struct {
	Text []byte   `json:"text"`
	Meta wireMeta `json:"meta"`
}

// encodeMetas writes random metas in the forms of all releases of the store.
func encodeMetas(args encodeMetasArgs) ([]encodedMeta, error) {
	r := newRandom(args.Seed)
	encoded := make([]encodedMeta, args.Count)
	for i := range encoded {
		text := r.metaText()
		meta, err := decodeMeta(bytes.NewReader(text))
		if err != nil {
			return nil, fmt.Errorf("Go can't read its own text %q: %w", text, err)
		}
		encoded[i] = encodedMeta{text, toWire(meta)}
	}
	return encoded, nil
}

func (r *random) metaText() []byte {
	meta := r.meta()
	if r.integer(8) > 0 {
		return encodeMeta(&meta)
	}
	return encodeMeta(&oldMeta{
		meta.ID, meta.Index, meta.Term, meta.Peers, meta.Size, meta.CRC,
	})
}

func (r *random) meta() fileMeta {
	meta := fileMeta{SnapshotMeta: raft.SnapshotMeta{
		Version:            1,
		Index:              r.uint64(),
		Term:               r.uint64(),
		Configuration:      raft.Configuration{Servers: r.servers()},
		ConfigurationIndex: r.uint64(),
		Size:               int64(r.uint64() & (1<<53 - 1)),
	}, CRC: r.bytes(8)}
	meta.ID = fmt.Sprintf("%d-%d-%d", meta.Term, meta.Index, 1<<40+r.integer(1<<31))
	meta.Peers = encodePeers(meta.Configuration, transport)
	if r.integer(8) == 0 { // the form while the snapshot is being written
		meta.Size, meta.CRC = 0, nil
	}
	return meta
}

func (r *random) servers() []raft.Server {
	if r.integer(8) == 0 {
		return nil
	}
	servers := make([]raft.Server, r.integer(5))
	for i := range servers {
		servers[i] = raft.Server{
			Suffrage: raft.ServerSuffrage(r.integer(3)),
			ID:       raft.ServerID(r.text()),
			Address:  raft.ServerAddress(r.text()),
		}
	}
	return servers
}

// uint64 is a value of any magnitude, often at a boundary.
func (r *random) uint64() uint64 {
	boundaries := []uint64{0, 1, 1 << 31, 1 << 32, 1 << 53, 1 << 63, 1<<64 - 1}
	switch r.integer(4) {
	case 0:
		return boundaries[r.integer(len(boundaries))]
	case 1:
		return boundaries[r.integer(len(boundaries))] + uint64(r.integer(5)) - 2
	}
	return (uint64(r.next())<<32 | uint64(r.next())) >> r.integer(64)
}

// text is a string that a server might be named, ordinary or hostile.
func (r *random) text() string {
	var text bytes.Buffer
	for n := r.integer(12); n > 0; n-- {
		switch r.integer(8) {
		case 0:
			text.WriteByte(byte(r.integer(0x20))) // a control character
		case 1:
			text.WriteByte(byte(r.integer(0x100))) // likely no UTF-8
		case 2:
			text.WriteByte("<>&\"\\/\x7f'"[r.integer(8)])
		case 3:
			text.WriteRune([]rune("\u2028\u2029\ufeff\ufffd\uffff\u017f\u212a\u0085")[r.integer(8)])
		case 4:
			text.WriteRune(rune(r.integer(0x110000)))
		default:
			text.WriteByte(byte(0x20 + r.integer(0x5f)))
		}
	}
	return text.String()
}
