import Testing

@testable import WebConsole

@Suite struct FormFieldsTests {
    @Test(arguments: [
        ("a=1&b=x+y", "b", "x y"), ("a=%C4%90%E1%BA%A1i", "a", "Đại"), ("a=%zz%4", "a", "%zz%4"), ("a", "a", ""),
        ("a=1&a=2", "a", "1"), ("=x", "", "x"), ("a=b=c", "a", "b=c"), ("a=%", "a", "%"),
    ])
    func fieldsAreDecodedAndNothingTraps(text: String, name: String, value: String) {
        #expect(FormFields(text)[name] == value)
    }

    @Test func repeatedFieldsKeepTheirOrderAndTheNumberIsBounded() {
        #expect(FormFields("a=1&b=2&a=3").all("a") == ["1", "3"])
        let many = (0..<10_000).map { "f\($0)=1" }.joined(separator: "&")
        #expect(FormFields(many).names.count == FormFields.countMax)
    }

    @Test func bytesThatAreNotUTF8BecomeReplacementCharacters() {
        #expect(FormFields("a=%FF%FE")["a"] == "\u{FFFD}\u{FFFD}")
    }

    @Test(arguments: [
        ("/rooms?x=1", "/rooms?x=1"), ("", "/"), ("rooms", "/"), ("//a", "/"), ("/\\a", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("/a b", "/"), ("/đ", "/"), ("/a\\b", "/"),
    ])
    func pathsOutsideThisSiteBecomeTheFirstPage(path: String, checked: String) {
        #expect(LocalPath.checked(path) == checked)
    }

    @Test(arguments: [("a", "a", true), ("a", "b", false), ("", "", false), ("a", "aa", false)])
    func secretsAreComparedWhole(left: String, right: String, isEqual: Bool) {
        #expect(CrossSiteProtection.isEqual(left, right) == isEqual)
    }
}
