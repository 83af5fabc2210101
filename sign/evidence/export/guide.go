package export

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/kakunin-go/kakunin/sign"
	"github.com/kakunin-go/kakunin/sign/evidence"
)

// guide collects the README: sections with a text in both languages and, mostly, commands.
type guide struct{ sections []section }

type section struct {
	ja, en   string // headings
	textJA   string
	textEN   string
	commands []string
}

func (g *guide) add(s section) { g.sections = append(g.sections, s) }

func (g *guide) record(hash string) {
	g.add(section{
		"記録", "The record",
		"`record.json` が記録です。`covered.json` は記録のうちハッシュ値の対象となる部分（RFC 8785の正規形）で、そのSHA-256が記録の `hash` と等しいことを確かめます。",
		"`record.json` is the record. `covered.json` is what its hash covers (canonical JSON, RFC 8785): its SHA-256 " +
			"is `hash` of the record.",
		[]string{
			`openssl dgst -sha256 -r covered.json | grep -q "^` + hash + ` "`,
			`grep -q '"hash": "` + hash + `"' record.json`,
		},
	})
}

func (g *guide) document(present bool, hash string) {
	s := section{
		ja: "文書", en: "The document",
		textJA: "署名された文書は含まれません。`digest.bin` が文書のSHA-256です。手元の文書のSHA-256が `" + hash + "` であることを確かめてください。",
		textEN: "The document is not in this folder. `digest.bin` is its SHA-256: compare yours with `" + hash + "`.",
	}
	if present {
		s.textJA = "`document` が署名された文書、`digest.bin` がそのSHA-256です。"
		s.textEN = "`document` is what was signed, `digest.bin` its SHA-256."
		s.commands = []string{"openssl dgst -sha256 -binary document | cmp - digest.bin"}
	}
	g.add(s)
}

func (g *guide) operator(id string) {
	g.add(section{
		ja: "プラットフォーム事業者の確認", en: "The platform operator's assertion",
		textJA: "署名はプラットフォーム事業者が検証しました。検証番号 `" + id + "` を事業者に照会してください。",
		textEN: "A platform operator verified the signature. Ask it about the verification `" + id + "`.",
	})
}

func (g *guide) withoutCertificate(sealed bool) {
	s := section{
		ja: "署名と証明書", en: "Signature and certificate",
		textJA: "署名値と証明書は保存されていないか、保存期間の満了により削除されました。ハッシュ値だけが残っています。",
		textEN: "Signature value and certificate were not kept, or were deleted at the end of their retention. Their " +
			"hashes remain.",
	}
	if sealed {
		s.textJA = "署名値と証明書は暗号化して保存されていますが、鍵がなかったため、このフォルダーにはありません。ハッシュ値は記録にあります。"
		s.textEN = "Signature value and certificate are kept, encrypted, and are not in this folder, for want of the " +
			"key. Their hashes are in the record."
	}
	g.add(s)
}

func (g *guide) signature(r *evidence.Record, document, authority bool) {
	s := section{
		ja: "署名", en: "The signature",
		commands: []string{"openssl x509 -inform DER -in certificate.der -noout -pubkey -out public-key.pem"},
	}
	// A tool that is given a digest does not hash it again: one command fits with and without the document.
	switch {
	case r.Mode == sign.ModeBareHash:
		s.textJA = "署名方式はハッシュ値方式です。32バイトのSHA-256そのものがパディングされています（署名値はハッシュ関数の名前を含みません）。"
		s.textEN = "The mode is the bare hash: the 32-byte SHA-256 itself is padded, and the signature does not name " +
			"its hash."
		s.commands = append(s.commands,
			"openssl pkeyutl -verify -pubin -inkey public-key.pem -sigfile signature.bin -in digest.bin -pkeyopt "+
				"rsa_padding_mode:pkcs1")
	case r.AttributesSHA256 != "":
		s.textJA = "CMS署名です。署名は署名属性（`attributes.der`）に対するもので、その中のmessageDigestが文書のSHA-256です。"
		s.textEN = "It is a CMS signature over its signed attributes (`attributes.der`), whose messageDigest is the " +
			"document's SHA-256."
		s.commands = append(s.commands,
			"openssl dgst -sha256 -verify public-key.pem -signature signature.bin attributes.der",
			`openssl asn1parse -inform DER -in attributes.der | tr 'A-F' 'a-f' | grep -q "`+r.Document.Hash+`"`)
	default:
		s.textJA = "署名方式はDigestInfo方式（RSASSA-PKCS1-v1_5、SHA-256）です。"
		s.textEN = "The mode is DigestInfo: RSASSA-PKCS1-v1_5 with SHA-256."
		s.commands = append(s.commands,
			"openssl pkeyutl -verify -pubin -inkey public-key.pem -sigfile signature.bin -in digest.bin -pkeyopt "+
				"digest:sha256")
		if document {
			s.commands = append(s.commands,
				"openssl dgst -sha256 -verify public-key.pem -signature signature.bin document")
		}
	}
	s.commands = append(s.commands,
		`openssl dgst -sha256 -r signature.bin | grep -q "^`+r.SignatureSHA256+` "`,
		`openssl dgst -sha256 -r certificate.der | grep -q "^`+r.Certificate.SHA256+` "`)
	g.add(s)
	if !authority {
		return
	}
	at := strconv.FormatInt(r.At.Unix(), 10)
	s = section{
		ja: "証明書", en: "The certificate",
		textJA: "`authority.der` が認証局の証明書です。そのSHA-256を、認証局が公表する値と必ず比べてください。比べなければ以下は何も証明しません。検証の基準日時は " +
			r.At.Format("2006-01-02 15:04:05") + " UTCです。",
		textEN: "`authority.der` is the authority's certificate. Compare its SHA-256 with what the authority " +
			"publishes: without " +
			"that, nothing below proves anything. The time for which it was judged is " +
			r.At.Format("2006-01-02 15:04:05") + " UTC.",
		commands: []string{
			`openssl dgst -sha256 -r authority.der | grep -q "^` + r.Certificate.AnchorSHA256 + ` "`,
			"openssl x509 -inform DER -in authority.der -out authority.pem",
			"openssl x509 -inform DER -in certificate.der -out certificate.pem",
			"openssl verify -attime " + at + " -check_ss_sig -CAfile authority.pem certificate.pem",
		},
	}
	if r.Mode == sign.ModeDigestInfo && !document {
		s.textJA += "`signature.p7s` は同じ署名をCMS形式にしたものです。検証には文書が必要です。"
		s.textEN += " `signature.p7s` is the same signature as CMS; to verify it takes the document."
	}
	if r.Mode == sign.ModeDigestInfo && document {
		s.commands = append(s.commands,
			"openssl cms -verify -binary -inform DER -in signature.p7s -content document -CAfile authority.pem "+
				"-purpose any -attime "+at+" -out /dev/null")
	}
	g.add(s)
}

func (g *guide) status(r *evidence.Record, lists []string, ocsp string) {
	at := strconv.FormatInt(r.At.Unix(), 10)
	s := section{
		ja: "失効確認", en: "Revocation",
		textJA: "方法は " + r.Revocation.Method + "、結果は " + r.Revocation.Status + " でした。",
		textEN: "The method was " + r.Revocation.Method + ", the status " + r.Revocation.Status + ".",
	}
	var files strings.Builder
	for i, name := range lists {
		s.commands = append(s.commands,
			`openssl dgst -sha256 -r `+name+`.der | grep -q "^`+r.Revocation.Lists[i]+` "`,
			"openssl crl -inform DER -in "+name+".der -out "+name+".pem")
		files.WriteString(" -CRLfile " + name + ".pem")
	}
	if len(lists) > 0 {
		s.commands = append(s.commands,
			"openssl verify -attime "+at+" -crl_check -extended_crl"+files.String()+
				" -CAfile authority.pem certificate.pem")
	}
	if ocsp != "" {
		s.commands = append(s.commands,
			fmt.Sprintf("openssl ocsp -respin ocsp.der -issuer authority.pem -%s -cert certificate.pem "+
				"-CAfile authority.pem -no_nonce -attime %s -validity_period 999999999 | grep -q 'certificate.pem: "+
				"good'",
				ocsp, at))
	}
	g.add(s)
}

func (g *guide) timestamp(name string, r *evidence.Record, t evidence.TimestampRef) {
	s := section{
		ja: "タイムスタンプ（" + name + "）", en: "Timestamp (" + name + ")",
		textJA: "署名値が " + t.Time.Format("2006-01-02 15:04:05") + " UTCに存在したことを時刻認証局が証明します。`" + name +
			"-authority.der` のSHA-256を、時刻認証局が公表する値と比べてください。",
		textEN: "A timestamp authority says that the signature value was there at " +
			t.Time.Format("2006-01-02 15:04:05") + " UTC. Compare the SHA-256 of `" +
			name + "-authority.der` with what it publishes.",
	}
	stamped := r.SignatureSHA256
	if stamped == "" {
		stamped = r.SealedSHA256
	}
	s.commands = []string{
		`openssl dgst -sha256 -r ` + name + `.tst | grep -q "^` + t.SHA256 + ` "`,
		`openssl dgst -sha256 -r ` + name + `-authority.der | grep -q "^` + t.AnchorSHA256 + ` "`,
		"openssl x509 -inform DER -in " + name + "-authority.der -out " + name + "-authority.pem",
		"openssl ts -verify -digest " + stamped + " -in " + name + ".tst -token_in -CAfile " + name +
			"-authority.pem -attime " +
			strconv.FormatInt(t.Time.Unix(), 10),
	}
	g.add(s)
}

func (g *guide) proof(left []bool) {
	s := section{
		ja: "ログへの記録", en: "Its place in the log",
		textJA: "`checkpoint.txt` は署名されたチェックポイントです。`checkpoint-key.pem` がログの運営者の公開鍵であることを確かめてください。" +
			"記録（`covered.json`）から計算した木の根が、チェックポイントの3行目と等しいことを確かめます（RFC 6962）。",
		textEN: "`checkpoint.txt` is a signed checkpoint of the log. Make sure that `checkpoint-key.pem` is the key " +
			"of the log's keeper. " +
			"The root that follows from the record (`covered.json`) is the third line of the checkpoint (RFC 6962).",
		commands: []string{
			"openssl pkeyutl -verify -pubin -inkey checkpoint-key.pem -rawin -in checkpoint-body.txt -sigfile " +
				"checkpoint-signature.bin",
			`{ printf '\000'; cat covered.json; } | openssl dgst -sha256 -binary > node-0.bin`,
		},
	}
	for i, onTheLeft := range left {
		pair := fmt.Sprintf("node-%d.bin path-%d.bin", i, i+1)
		if onTheLeft {
			pair = fmt.Sprintf("path-%d.bin node-%d.bin", i+1, i)
		}
		s.commands = append(s.commands,
			fmt.Sprintf(`{ printf '\001'; cat %s; } | openssl dgst -sha256 -binary > node-%d.bin`, pair, i+1))
	}
	s.commands = append(s.commands,
		fmt.Sprintf(`test "$(openssl base64 -A -in node-%d.bin)" = "$(sed -n 3p checkpoint-body.txt)"`, len(left)))
	g.add(s)
}

// writeGuide writes the README.
func (w *writer) writeGuide() error {
	if len(w.result.Missing) > 0 {
		var ja, en strings.Builder
		for _, m := range w.result.Missing {
			ja.WriteString("\n- " + missingJA[m.What] + ": `" + m.SHA256 + "`")
			en.WriteString("\n- " + missingEN[m.What] + ": `" + m.SHA256 + "`")
		}
		w.guide.add(section{
			ja: "含まれないもの", en: "What is missing",
			textJA: "次のファイルは保存されていません。SHA-256で示します。\n" + ja.String(),
			textEN: "These files were not archived. They are named by their SHA-256.\n" + en.String(),
		})
	}
	var b strings.Builder
	b.WriteString("# 署名の証跡 – Evidence of a signature\n\n" +
		"この署名は、以下のコマンドで誰でも検証できます。必要なものはOpenSSL 3とPOSIXシェルだけです。どのコマンドも成功（終了コード0）しなければなりません。" +
		"検証の結果を読みやすくまとめたものが `report.html` と `report.json` です。\n\n" +
		"Anyone can verify this signature with the commands below, with OpenSSL 3 and a POSIX shell alone. Every " +
		"command must succeed " +
		"(exit status 0). `report.html` and `report.json` say what was found, to be read.\n")
	if w.record.Held != nil {
		b.WriteString("\n**このフォルダーには個人情報が含まれます。This folder holds personal data.**\n")
	}
	for i, s := range w.guide.sections {
		fmt.Fprintf(&b, "\n## %d. %s – %s\n\n%s\n\n%s\n", i+1, s.ja, s.en, s.textJA, s.textEN)
		if len(s.commands) > 0 {
			b.WriteString("\n```sh\n" + strings.Join(s.commands, "\n") + "\n```\n")
		}
	}
	return w.write("README.md", []byte(b.String()))
}

var (
	missingJA = map[string]string{
		"authority": "認証局の証明書", "list": "失効リスト", "timestamp": "タイムスタンプトークン", "timestamp-authority": "時刻認証局の証明書",
	}
	missingEN = map[string]string{
		"authority": "the authority's certificate", "list": "a revocation list", "timestamp": "a timestamp token",
		"timestamp-authority": "the timestamp authority's certificate",
	}
)
