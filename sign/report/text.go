package report

import (
	"strings"

	"github.com/kakunin-go/kakunin"
)

func textOf(m kakunin.Message) Text { return Text{m.JA, m.EN} }

// steps are the checks in words. A name that is not here, of an application's own source or of a later release, stands
// for itself.
var steps = map[string]Text{
	"mode.explicit":      {"署名方式（カードがパディングしたもの）が要求どおりである", "the signature was asked for in this mode"},
	"transaction.time":   {"署名トランザクションが有効な時間内である", "the transaction is of the present"},
	"certificate.form":   {"証明書が正しい形式（DER）である", "the certificate is well-formed (DER)"},
	"certificate.kind":   {"署名用電子証明書である", "it is a signing certificate"},
	"certificate.status": {"証明書が有効である", "the certificate is valid"},
	"key.rsa2048":        {"公開鍵がRSA 2048ビット（e = 65537）である", "the key is RSA-2048 with e = 65537"},
	"signature.length":   {"署名値の長さが鍵の長さと等しい", "the signature is as long as the key"},
	"signature.range":    {"署名値が法nより小さい", "the signature is smaller than the modulus"},
	"signature.value":    {"署名値が文書のハッシュ値に対して正しい", "the signature verifies over the document's hash"},
	"document.hash":      {"文書のSHA-256を検証者が計算した", "SHA-256 of the document, computed by the verifier"},
	"document.undisclosed": {"文書は開示されず、トランザクションのハッシュ値を用いた",
		"the document was not disclosed; the transaction's hash was used"},
	"cms.attributes": {"CMSの署名属性が文書のハッシュ値を含む", "the signed attributes (CMS) name the document's hash"},
	"person":         {"証明書の基本4情報が登録内容と一致する", "the four attributes agree with those expected"},

	"anchor.self-issued":         {"認証局証明書が自己発行である", "the authority's certificate is self-issued"},
	"anchor.basic-constraints":   {"認証局証明書がCAである", "the anchor is an authority"},
	"anchor.key-usage":           {"認証局の鍵が証明書の署名に使える", "the authority's key may sign certificates"},
	"anchor.key-id":              {"認証局の鍵識別子がある", "the authority has a key identifier"},
	"anchor.critical-extensions": {"認証局証明書の重要な拡張をすべて処理した", "every critical extension of the authority was processed"},
	"anchor.key":                 {"認証局の鍵がプロファイルどおりである", "the authority's key fits the profile"},
	"anchor.signature":           {"認証局証明書の自己署名が正しい", "the authority's own signature verifies"},

	"profile.policy":              {"証明書ポリシーが認められている", "the certificate policy is accepted"},
	"profile.environment":         {"本番と試験の証明書が混ざっていない", "test and production are not mixed"},
	"profile.kind":                {"求めた種類の証明書である", "the certificate is of the kind asked for"},
	"profile.key-usage":           {"鍵用途がプロファイルどおりである", "the key usage fits the profile"},
	"profile.extended-key-usage":  {"拡張鍵用途がプロファイルどおりである", "the extended key usage fits the profile"},
	"profile.basic-constraints":   {"利用者の証明書である（CAではない）", "it is a person's certificate, not an authority's"},
	"profile.key":                 {"公開鍵がプロファイルどおりである", "the public key fits the profile"},
	"profile.signature-algorithm": {"証明書の署名アルゴリズムがプロファイルどおりである", "the signature algorithm fits the profile"},
	"profile.critical-extensions": {"重要な拡張をすべて処理した", "every critical extension was processed"},

	"chain.issuer-name":     {"発行者名が信頼する認証局と一致する", "a trusted authority has the issuer's name"},
	"chain.key-id":          {"発行者の鍵識別子が一致する", "it has the issuer's key identifier"},
	"chain.signature":       {"認証局の署名が正しい", "the authority signed the certificate"},
	"chain.anchor-validity": {"認証局証明書が有効期間内である", "the authority was valid at the time"},
	"chain.not-before":      {"証明書の有効期間が始まっている", "the certificate's validity had begun"},
	"chain.not-after":       {"証明書の有効期間が過ぎていない", "the certificate had not expired"},

	"revocation.status":  {"証明書が失効していない", "the certificate was not revoked"},
	"revocation.time":    {"失効情報を確認できる時刻である", "revocation data can speak of the time"},
	"revocation.skipped": {"失効確認は検証方針により省略した", "revocation was skipped by the verifier's policy"},
}

func stepText(name string) Text {
	if t, ok := steps[name]; ok {
		return t
	}
	if head, _, found := strings.Cut(name, "."); found && head == "person" {
		return steps["person"]
	}
	return Text{name, name}
}

// reasons are the reasons of packages sign and jpki in words.
var reasons = map[string]Text{
	"unknown":                        {"検証に失敗しました", "the verification failed"},
	"configuration":                  {"検証者の設定に誤りがあります", "the verifier is misconfigured"},
	"request":                        {"検証の依頼に不足があります", "the request for verification is incomplete"},
	"document cannot be read":        {"文書を読み取れません", "the document cannot be read"},
	"document too large":             {"文書が大きすぎます", "the document is too large"},
	"interrupted":                    {"検証が中断されました", "the verification was interrupted"},
	"malformed result":               {"署名結果の形式が正しくありません", "the result of the service is malformed"},
	"sealed result cannot be opened": {"暗号化された署名結果を開けません", "the sealed result cannot be opened"},
	"CMS signature not accepted":     {"CMS署名の形式が認められません", "the form of the CMS signature is not accepted"},
	"mode is not the transaction's":  {"署名方式がトランザクションと異なります", "the mode is not the transaction's"},
	"transaction of another time":    {"トランザクションが有効な時間内ではありません", "the transaction is not of the present"},
	"document is not the transaction's": {
		"文書が署名されたものと異なります", "the document is not the one that was signed",
	},
	"not a signing certificate": {"署名用電子証明書ではありません", "it is not a signing certificate"},
	"unexpected public key":     {"公開鍵が想定と異なります", "the public key is not of the expected kind"},
	"signature does not verify": {"署名値が正しくありません", "the signature does not verify"},
	"signature made in the other mode": {
		"署名値は別の署名方式で作られています", "the signature was made in the other mode",
	},
	"certificate not accepted": {"証明書が認められません", "the certificate is not accepted"},
	"certificate of another person": {
		"証明書の基本4情報が登録内容と異なります", "the certificate names another person",
	},
	"person needs review": {"本人の一致を自動では判断できません", "a machine cannot decide whether it is the person"},

	"trust anchor refused":             {"信頼する認証局証明書が認められません", "the trust anchor is refused"},
	"malformed certificate":            {"証明書の形式が正しくありません", "the certificate is malformed"},
	"certificate profile not accepted": {"証明書のプロファイルが認められません", "the certificate's profile is not accepted"},
	"certificate of another hierarchy": {"本番と試験の証明書が混ざっています",
		"the certificate is of another hierarchy (test, production)"},
	"certificate of another kind":           {"求めた種類の証明書ではありません", "the certificate is of another kind"},
	"issuer not trusted":                    {"発行者が信頼する認証局ではありません", "the issuer is not a trusted authority"},
	"certificate signature does not verify": {"証明書の署名が正しくありません", "the signature on the certificate does not verify"},
	"authority not valid at the time":       {"認証局証明書が有効期間外です", "the authority was not valid at the time"},
	"certificate expired":                   {"証明書の有効期間が過ぎています", "the certificate had expired"},
	"certificate not yet valid":             {"証明書の有効期間がまだ始まっていません", "the certificate was not valid yet"},
	"certificate revoked":                   {"証明書が失効しています", "the certificate was revoked"},
	"certificate on hold":                   {"証明書が一時停止中です", "the certificate was on hold"},
	"revocation status unknown": {"失効しているかどうかを確認できません",
		"nobody could say whether the certificate was revoked"},
	"revocation data not trustworthy": {"失効情報が信頼できません", "the revocation data cannot be trusted"},
}

func reasonText(reason string) Text {
	if t, ok := reasons[reason]; ok {
		return t
	}
	return reasons["unknown"]
}

// words are those of values with a fixed list.
var words = map[string]Text{
	"bare-hash":     {"ハッシュ値方式（32バイトのSHA-256をそのままパディング）", "bare hash (the 32-byte SHA-256 is padded as it is)"},
	"digest-info":   {"DigestInfo方式（RSASSA-PKCS1-v1_5、SHA-256）", "DigestInfo (RSASSA-PKCS1-v1_5 with SHA-256)"},
	"production":    {"本番", "production"},
	"test":          {"試験用", "test"},
	"signing-card":  {"署名用電子証明書（カード）", "signing certificate on a card"},
	"signing-phone": {"署名用電子証明書（スマートフォン）", "signing certificate on a phone"},
	"good":          {"有効", "good"},
	"CRL":           {"失効リスト（CRL）", "revocation list (CRL)"},
	"OCSP":          {"OCSP", "OCSP"},
	"none":          {"省略", "none"},
	"name":          {"氏名", "name"},
	"address":       {"住所", "address"},
	"birthdate":     {"生年月日", "birthdate"},
	"gender":        {"性別", "gender"},
	"same":          {"完全に一致", "the same"},
	"needs-review":  {"確認が必要", "needs review"},
	"same-after-normalisation": {
		"表記の違いを除いて一致", "the same but for the way of writing",
	},
	"user":          {"利用者にやり直しを案内する", "offer the person to try again"},
	"account":       {"このカード・証明書は利用できない", "this card or certificate cannot be used"},
	"configuration": {"運用者が設定を確認する", "the operators check the configuration"},
	"unavailable":   {"時間をおいて再度検証する", "verify again later"},
	"untrusted":     {"何も受け入れず、調査する", "accept nothing, and investigate"},
	"unclassified":  {"不具合として調査する", "investigate it as a defect"},
}

func word(s string) Text {
	if t, ok := words[s]; ok {
		return t
	}
	return Text{s, s}
}
