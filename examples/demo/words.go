package main

import (
	"github.com/kakunin-go/kakunin"
)

// text is a text in both languages.
type text struct{ ja, en string }

func (t text) in(l kakunin.Language) string {
	if l == kakunin.Japanese {
		return t.ja
	}
	return t.en
}

var (
	messageNotFound = text{"お探しのページはありません。", "There is no such page."}
	messageStale    = text{
		"別の画面で文書が新しくなりました。表示中の文書を確認してから、もう一度署名してください。",
		"The document was renewed in another window. Please read it again, then sign.",
	}
)

// words are the texts of the pages, by key.
var words = map[string]text{
	"site":     {"確認商店", "Kakunin Store"},
	"skip":     {"本文へ移動", "Skip to content"},
	"language": {"言語", "Language"},
	"logout":   {"ログアウト", "Log out"},
	"simulator": {
		"これはシミュレーターを使ったデモです。デジタル庁・J‑LISとは関係がなく、人物・カード・文書はすべて架空のものです。",
		"This is a demo with a simulator. It is not connected with the Digital Agency or J‑LIS; people, cards and " +
			"documents are fictitious.",
	},
	"demo": {
		"これはデモ用のサイトです。デジタル庁・J‑LISとは関係がありません。",
		"This is a demo site. It is not connected with the Digital Agency or J‑LIS.",
	},
	"unknown":    {"不明", "unknown"},
	"absent":     {"（提供されていません）", "(not provided)"},
	"held":       {"確認済み", "held"},
	"nav":        {"ページ", "Pages"},
	"to-account": {"登録内容", "Account"},
	"to-sign":    {"文書に署名", "Sign a document"},
	"to-home":    {"トップへ戻る", "Back to the start"},

	"home.title": {"マイナンバーカードでログイン", "Log in with your My Number Card"},
	"home.lead": {
		"マイナンバーカードで本人確認を行い、文書に電子署名します。",
		"Prove who you are with your My Number Card, then sign a document.",
	},
	"home.step1": {"カードの暗証番号（4桁）を2つ入力してログインします。", "Log in with the two 4-digit PINs of your card."},
	"home.step2": {"氏名・住所・生年月日・性別を確認します。", "See your name, address, birthdate and gender."},
	"home.step3": {
		"文書を読み、署名用電子証明書の暗証番号で署名します。",
		"Read a document and sign it with the password of your signing certificate.",
	},
	"home.login":    {"ログイン", "Log in"},
	"home.account":  {"登録内容を見る", "See my account"},
	"home.pins":     {"模擬カードの暗証番号", "PINs of the simulated card"},
	"home.auth":     {"利用者証明用電子証明書の暗証番号", "PIN of the authentication certificate"},
	"home.textpin":  {"券面事項入力補助用の暗証番号", "PIN for the four attributes"},
	"home.password": {"署名用電子証明書の暗証番号", "Password of the signing certificate"},

	"account.title":     {"登録内容", "Your account"},
	"account.lead":      {"ログインしました。カードから次の内容を受け取りました。", "You are logged in. Your card gave us the following."},
	"account.name":      {"氏名", "Name"},
	"account.address":   {"住所", "Address"},
	"account.birthdate": {"生年月日", "Birthdate"},
	"account.gender":    {"性別", "Gender"},
	"account.age":       {"年齢", "Age"},
	"account.subject":   {"利用者識別子", "Subject"},
	"account.acr":       {"本人認証の水準", "Assurance level (acr)"},
	"account.next":      {"文書に署名する", "Sign a document"},

	"document.title": {"文書への署名", "Sign a document"},
	"document.lead":  {"次の文書を最後まで読んでから、署名してください。", "Read the document to its end, then sign it."},
	"document.label": {"署名する文書", "The document you sign"},
	"document.note": {
		"「署名」を押すと、暗証番号を入力する画面へ移動します。",
		"“Sign” takes you to the screen where you enter your PIN and your password.",
	},
	"document.mode": {"署名の方式", "Signature mode"},
	"document.sign": {"署名", "Sign"},

	"mode.bare-hash":     {"ハッシュ値だけに署名", "the bare hash"},
	"mode.digest-info":   {"ハッシュ値に種類の情報（DigestInfo）を付けて署名", "DigestInfo: the hash with its kind"},
	"revocation.good":    {"失効していません", "not revoked"},
	"revocation.unknown": {"不明", "unknown"},
	"method.OCSP":        {"（発行者に問い合わせて確認）", " (asked the issuer: OCSP)"},
	"method.CRL":         {"（発行者の失効リストで確認）", " (on the issuer's list: CRL)"},

	"result.title":    {"署名の結果", "Result of the signature"},
	"result.verified": {"署名を検証しました。すべての確認事項を満たしています。", "The signature was verified. Every check held."},
	"result.operator": {
		"プラットフォーム事業者が署名を検証しました。署名と証明書に問題はありません。",
		"The platform operator verified the signature: signature and certificate are good.",
	},
	"result.sealed": {
		"署名を受け取りました。結果は暗号化されたまま、プラットフォーム事業者に渡して検証されます。",
		"The signature was received. The result stays sealed and would be handed to the platform operator, who " +
			"verifies it.",
	},
	"result.steps":        {"確認した事項", "What was checked"},
	"result.details":      {"詳細", "Details"},
	"result.number":       {"文書番号", "Document number"},
	"result.mode":         {"署名の方式", "Signature mode"},
	"result.revocation":   {"失効の確認", "Revocation"},
	"result.verification": {"検証番号（プラットフォーム事業者）", "Verification (platform operator)"},
	"result.anchor":       {"信頼する認証局の証明書（SHA-256）", "Trust anchor (SHA-256)"},
	"result.time":         {"検証した日時", "Verified at"},
	"result.person":       {"ログインした人との照合", "Comparison with the person who logged in"},
	"result.review":       {"確認が必要な項目があります。担当者が判断します。", "Something needs review: a member of staff decides."},
	"result.evidence":     {"証跡", "Evidence"},
	"result.note": {
		"後から検証の内容を示すための記録です。証明書も氏名なども含みません。",
		"A record that shows later what was verified. It holds neither the certificate nor any personal data.",
	},
	"result.download": {"証跡をダウンロード", "Download the evidence"},
	"result.clause":   {"根拠となる規格（英語）", "The clause"},
	"result.show":     {"証跡を表示", "Show the evidence"},
	"result.again":    {"別の文書に署名する", "Sign another document"},

	"error.title":    {"手続きを完了できませんでした", "We could not complete this"},
	"notfound.title": {"ページがありません", "No such page"},
	"error.retry":    {"もう一度試す", "Try again"},
}

// stepGroups put the checks into an order that a person follows, by the first part of their names.
var stepGroups = []struct {
	title    text
	prefixes []string
}{
	{text{"署名と文書", "Signature and document"}, []string{"mode", "document", "key", "signature"}},
	{text{"署名用電子証明書", "Signing certificate"}, []string{"certificate", "profile"}},
	{text{"証明書の発行者", "Issuer of the certificate"}, []string{"chain", "anchor"}},
	{text{"失効していないこと", "Not revoked"}, []string{"revocation"}},
	{text{"署名した人", "Who signed"}, []string{"person"}},
}

// stepTexts explain the checks by their stable names; a check without an entry is shown by its name.
var stepTexts = map[string]text{
	"mode.explicit":    {"署名の方式が依頼したとおりである", "The signature mode is the one asked for"},
	"transaction.time": {"署名の依頼の有効な時間内である", "The signature request is of the present"},
	"certificate.kind": {"署名用電子証明書である", "It is a signing certificate"},
	"key.rsa2048":      {"公開鍵がカードの鍵の種類と一致する", "The public key is the kind that cards have"},
	"signature.length": {"署名値の長さが正しい", "The signature value has the right size"},
	"signature.range":  {"署名値が正しい範囲にある", "The signature value is in range"},
	"document.hash":    {"文書が署名を依頼したものと同じである", "The document is the one that was to be signed"},
	"signature.value":  {"署名がこの文書に対するものである", "The signature is over this document"},
	"person":           {"電子証明書の氏名などがログインした人と一致する", "The certificate names the person who logged in"},

	"certificate.form": {"電子証明書の形式が正しい", "The certificate is well-formed"},
	"profile.policy":   {"証明書ポリシーが認められている", "The certificate policy is accepted"},
	"profile.environment": {
		"想定した環境（本番・テスト）の証明書である",
		"It belongs to the expected environment (production or test)",
	},
	"profile.kind":                {"求めた種類の証明書である", "It is of the kind asked for"},
	"profile.key-usage":           {"鍵の用途が署名である", "The key is for signatures"},
	"profile.extended-key-usage":  {"拡張された用途に矛盾がない", "The extended key usage fits"},
	"profile.basic-constraints":   {"認証局の証明書ではない", "It is not the certificate of an authority"},
	"profile.key":                 {"公開鍵の種類と長さが正しい", "The public key has the right type and size"},
	"profile.signature-algorithm": {"証明書の署名方式が認められている", "The certificate's signature algorithm is accepted"},
	"profile.critical-extensions": {"理解できない重要な拡張がない", "No critical extension is unknown"},
	"chain.issuer-name":           {"発行者の名前が一致する", "The issuer's name matches"},
	"chain.key-id":                {"発行者の鍵が一致する", "The issuer's key matches"},
	"chain.signature":             {"発行者が署名している", "The issuer signed the certificate"},
	"chain.not-before":            {"有効期間が始まっている", "The validity period has begun"},
	"chain.not-after":             {"有効期間が過ぎていない", "The validity period is not over"},
	"chain.anchor-validity":       {"発行者の証明書が有効期間内である", "The issuer's certificate is in its validity period"},
	"anchor.self-issued":          {"信頼する認証局の証明書である", "The issuer is a trusted authority"},
	"anchor.basic-constraints":    {"発行者が認証局である", "The issuer is an authority"},
	"anchor.key-usage":            {"発行者の鍵が証明書の発行用である", "The issuer's key is for issuing certificates"},
	"anchor.key-id":               {"発行者の鍵の識別子がある", "The issuer's key is identified"},
	"anchor.critical-extensions":  {"発行者の証明書に理解できない重要な拡張がない", "No critical extension of the issuer is unknown"},
	"anchor.key":                  {"発行者の公開鍵の種類と長さが正しい", "The issuer's key has the right type and size"},
	"anchor.signature":            {"発行者の証明書の自己署名が正しい", "The issuer's self-signature verifies"},
	"revocation.status":           {"発行者の最新の情報で、失効していない", "The issuer says now that it is not revoked"},
}
