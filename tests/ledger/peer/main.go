// Checks a ledger of Assay with an implementation that has nothing in common with it: the packages
// note and tlog of golang.org/x/mod.
//
//	tlog-peer proof KEY PROOF ENTRY            an inclusion proof (C2SP tlog-proof)
//	tlog-peer consistency KEY OLD NEW PROOF    that checkpoint NEW extends OLD; PROOF has a hash a line
//	tlog-peer tiles KEY DIR                    an exported tree, from every entry up to the root
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("verified")
}

func run(words []string) error {
	if len(words) < 3 {
		return fmt.Errorf("proof, consistency or tiles")
	}
	verifier, err := note.NewVerifier(words[1])
	if err != nil {
		return err
	}
	switch words[0] {
	case "proof":
		return proof(verifier, words[2], words[3])
	case "consistency":
		return consistency(verifier, words[2], words[3], words[4])
	case "tiles":
		return tiles(verifier, words[2])
	}
	return fmt.Errorf("unknown: %s", words[0])
}

func checkpoint(verifier note.Verifier, data []byte) (int64, tlog.Hash, error) {
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return 0, tlog.Hash{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return 0, tlog.Hash{}, fmt.Errorf("another log: %q", lines[0])
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return 0, tlog.Hash{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return size, root, err
}

func hashes(lines []string) ([]tlog.Hash, error) {
	var found []tlog.Hash
	for _, line := range lines {
		if line == "" {
			continue
		}
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return nil, err
		}
		found = append(found, hash)
	}
	return found, nil
}

func proof(verifier note.Verifier, path, entry string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	head, signed, _ := strings.Cut(string(data), "\n\n")
	lines := strings.Split(head, "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		return fmt.Errorf("no proof: %q", lines[0])
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	if err != nil {
		return err
	}
	path_, err := hashes(lines[2:])
	if err != nil {
		return err
	}
	size, root, err := checkpoint(verifier, []byte(signed))
	if err != nil {
		return err
	}
	leaf, err := os.ReadFile(entry)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(path_, size, root, index, tlog.RecordHash(leaf))
}

func consistency(verifier note.Verifier, old, new, path string) error {
	var sizes [2]int64
	var roots [2]tlog.Hash
	for at, name := range []string{old, new} {
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if sizes[at], roots[at], err = checkpoint(verifier, data); err != nil {
			return err
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	nodes, err := hashes(strings.Split(string(data), "\n"))
	if err != nil {
		return err
	}
	return tlog.CheckTree(nodes, sizes[1], roots[1], sizes[0], roots[0])
}

// folder reads tiles at the paths of C2SP tlog-tiles, which leave out the height.
type folder string

func (f folder) Height() int { return 8 }

func (f folder) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range wanted {
		path := strings.TrimPrefix(tile.Path(), "tile/8/")
		data, err := os.ReadFile(filepath.Join(string(f), "tile", path))
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

func tiles(verifier note.Verifier, name string) error {
	data, err := os.ReadFile(filepath.Join(name, "checkpoint"))
	if err != nil {
		return err
	}
	size, root, err := checkpoint(verifier, data)
	if err != nil {
		return err
	}
	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, folder(name))
	for first := int64(0); first < size; first += 256 {
		tile := tlog.Tile{H: 8, L: -1, N: first / 256, W: int(min(256, size-first))}
		path := strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1)
		bundle, err := os.ReadFile(filepath.Join(name, path))
		if err != nil {
			return err
		}
		for index := first; index < first+int64(tile.W); index++ {
			length := int(binary.BigEndian.Uint16(bundle))
			entry := bundle[2 : 2+length]
			bundle = bundle[2+length:]
			stored, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
			if err != nil {
				return err
			}
			if stored[0] != tlog.RecordHash(entry) {
				return fmt.Errorf("entry %d is not the one in the tree (%s)", index,
					base64.StdEncoding.EncodeToString(stored[0][:]))
			}
		}
	}
	return nil
}
