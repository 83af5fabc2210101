// Package fourinfo holds the four attributes of a person (基本4情報): name (氏名), address (住所), birthdate (生年月日)
// and gender (性別), as the service, a signing certificate or a card states them, and compares them.
//
// Most programs receive a [Person] and use these:
//
//	person.Name.Reveal()                              // the name, exactly as received
//	person.Birthdate.IsAtLeast(20, fourinfo.DateOf(t)) // Yes, No or Unknown: sell only on Yes
//	person.Birthdate.RevealText(kakunin.Japanese)      // for people to read: with the era; and Gender in words
//	person.Address.InMunicipality("13221")            // Yes, No or Unknown: for residents
//	onFile.Compare(person)                            // does this person agree with the one on file, and why not?
//	person.RevealAll()                                // plain form for your own storage
//
// # Nothing is shown by accident
//
// Printing, logging or marshalling a [Person] or one of its attributes shows "[redacted]", whatever the verb, the
// encoder or the nesting. A value comes out only through a method whose name begins with Reveal, an age only through
// [Birthdate.AgeOn] and [Birthdate.AgesOn]. [Stored] is the one plain type, for an application's own storage.
//
// An individual number (個人番号) is no attribute: package fourinfo/mynumber keeps it where it belongs, and out of logs.
//
// # Nothing is guessed
//
// Values are kept as received: no trimming, no splitting of names, no Unicode normalisation (NFC alone replaces
// characters that occur in Japanese names). Characters that the certificate could not represent are reported by
// position ([Substitutes]). Unknown parts of a birthdate stay unknown. An attribute that cannot be read becomes a
// [Problem] and never an error, so that one odd value does not fail a login. Absent is not the same as empty.
//
// Comparing makes keys beside the raw values, by steps that have names ([Step]) and are reported with their places;
// there is no measure of likeness that could hide a difference. The file docs/matching.md of the module lists the
// steps.
//
// A hard difference means that something could tell two people or two places apart. Where the deciding part agrees and
// only an unreadable character, a known way of writing or a tail differs, the answer is [NeedsReview] with its reason
// and place.
//
// # Further packages
//
// fourinfo/mynumber has individual and corporate numbers and the guard of logs, fourinfo/bulk compares the records of a
// whole file, fourinfo/law says what laws about identity verification ask, and fourinfo/mdoc verifies the mobile form
// of the card and maps it to the same values.
//
// # Errors
//
// What a source sends is never an error but a [Problem]. An *[Error] tells that data in the application's own hands,
// such as a stored form, is defective; it takes part in the families of package kakunin.
//
// All types are immutable and safe for concurrent use. The package does no input or output and reads no clock.
//
// # Examples
//
// There are examples of [Address.InMunicipality], [Birthdate.AgesOn], [Birthdate.IsAtLeast], [Birthdate.RevealText],
// [Finding], [FromUserinfo], [Person.Compare], [Person.RevealAll] and [Step.Apply].
//
// # Compatibility
//
// The JSON form of [Stored] stays readable: version 1 is written as long as it suffices and read for good, version 2
// adds furigana, former_name and alias. The names of outcomes, steps, attributes and problems are kept in records and
// never change; later releases add to them. Which outcome two values come to may become more precise.
package fourinfo
