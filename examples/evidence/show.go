package main

import (
	"bytes"
	"context"
	"strconv"

	"github.com/kakunin-go/kakunin/sign/evidence"
	"github.com/kakunin-go/kakunin/sign/evidence/export"
)

// show prints records without the parts that hold personal data.
func show(ctx context.Context, o *options) error {
	if _, file, is := o.folder(); is {
		data, err := readFile(file)
		if err != nil {
			return err
		}
		record, err := evidence.Parse(bytes.TrimSuffix(data, []byte("\n")))
		if err != nil {
			return o.refuse(failed{err})
		}
		return o.showRecord(evidence.Kept{Index: -1, Record: record})
	}
	l, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	if len(o.indexes) == 0 {
		for kept, err := range l.log.Scan(ctx, 0, 1<<62) {
			if err == nil {
				err = o.showRecord(kept)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	for _, text := range o.indexes {
		index, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return usage("an index is a number")
		}
		kept, err := l.log.Get(ctx, index)
		if err != nil {
			return err
		}
		if err := o.showRecord(kept); err != nil {
			return err
		}
	}
	return nil
}

func (o *options) showRecord(kept evidence.Kept) error {
	if kept.Note != nil {
		if o.json {
			return o.print(kept.Note)
		}
		o.say("%d 注記 %s %s %s", "%d note %s %s %s", kept.Index, kept.Note.Kind,
			kept.Note.At.Format("2006-01-02T15:04:05Z"), kept.Note.Body)
		return nil
	}
	r := kept.Record.Detach()
	if o.json {
		data, err := r.Marshal()
		if err == nil {
			_, err = o.stdout.Write(append(data, '\n'))
		}
		return err
	}
	how := "-"
	switch {
	case r.Operator != nil:
		how = "operator " + r.Operator.VerificationID
	case r.Revocation != nil:
		how = r.Revocation.Method + " " + r.Revocation.Status
	}
	o.say("%d 記録 %s 文書 %s 方式 %s 失効確認 %s 根拠 %s タイムスタンプ %d件 個人情報の部分 %t",
		"%d record %s document %s mode %s status %s basis %s timestamps %d held %t", kept.Index,
		r.VerifiedAt.Format("2006-01-02T15:04:05Z"), r.Document.Hash, r.Mode, how, r.Basis, len(r.Timestamps),
		kept.Record.Held != nil || kept.Sealed)
	return nil
}

// exportRecord writes one record as a folder for others.
func exportRecord(ctx context.Context, o *options) error {
	if o.index < 0 || o.out == "" || len(o.checkpoints) > 1 {
		return usage("-index and -out are needed, and at most one -checkpoint")
	}
	c := export.Config{Index: o.index, Reveal: o.reveal, Now: o.now}
	if len(o.checkpoints) == 1 {
		signed, err := readFile(o.checkpoints[0])
		if err != nil {
			return err
		}
		c.Checkpoint, c.CheckpointKey = signed, o.key
	}
	for _, name := range o.files {
		data, err := readFile(name)
		if err != nil {
			return err
		}
		c.Files = append(c.Files, data)
	}
	document, err := o.readDocument()
	if err != nil {
		return err
	}
	if document != nil {
		defer func() { _ = document.Close() }()
		c.Document = document
	}
	l, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer l.close()
	c.Log = l.log
	result, err := export.Write(ctx, o.out, c)
	if err != nil {
		return err
	}
	if o.json {
		return o.print(struct {
			Files   []string         `json:"files"`
			Missing []export.Missing `json:"missing"`
			Sealed  bool             `json:"sealed"`
		}{result.Files, result.Missing, result.Sealed})
	}
	o.say("○ %d個のファイルを書き出しました。README.mdに検証のコマンドがあります。",
		"✓ %d files are written; README.md has the commands to verify them.", len(result.Files))
	if result.Sealed {
		o.say("  署名値と証明書は暗号化されています。含めるには -wrapping-key が必要です。",
			"  Signature and certificate are encrypted and were left out: -wrapping-key opens them.")
	}
	for _, m := range result.Missing {
		o.say("  保存されていません: %s %s", "  not archived: %s %s", m.What, m.SHA256)
	}
	return nil
}
