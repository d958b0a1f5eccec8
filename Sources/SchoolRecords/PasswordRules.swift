package import CampusModel

/// What a password that a person chose must be.
package enum PasswordRules {
    /// The shortest password, in characters.
    package static let charactersMin = 10
    /// The longest, in UTF-8 bytes.
    package static let bytesMax = 256

    /// Which rule a password breaks, in words for the person who chose it; `nil` when it may be used.
    package static func weakness(of password: String, user: String) -> LocalizedText? {
        guard password.count >= self.charactersMin else {
            return LocalizedText(
                vi: "Mật khẩu cần ít nhất \(self.charactersMin) ký tự.",
                en: "a password has at least \(self.charactersMin) characters"
            )
        }
        guard password.utf8.count <= self.bytesMax else {
            return LocalizedText(
                vi: "Mật khẩu dài tối đa \(self.bytesMax) byte.",
                en: "a password has at most \(self.bytesMax) bytes"
            )
        }
        let lowered = password.lowercased()
        if lowered == user.lowercased() || lowered.replacing(user.lowercased(), with: "").count < 4 {
            return LocalizedText(
                vi: "Mật khẩu không được là tên đăng nhập, kể cả khi thêm vài ký tự.",
                en: "a password is not the user name, nor the user name with little added"
            )
        }
        guard Set(lowered).count >= 4 else {
            return LocalizedText(
                vi: "Mật khẩu cần ít nhất 4 ký tự khác nhau.",
                en: "a password has at least 4 different characters"
            )
        }
        guard !self.common.contains(lowered) else {
            return LocalizedText(
                vi: "Mật khẩu này có trong mọi danh sách mật khẩu phổ biến; hãy chọn mật khẩu khác.",
                en: "this password is on every list of common passwords; choose another"
            )
        }
        return nil
    }

    /// Throws ``RecordsError/Code/weakPassword`` with the rule that is broken.
    package static func check(_ password: String, user: String) throws(RecordsError) {
        if let weakness = self.weakness(of: password, user: user) { throw RecordsError(.weakPassword, weakness.en) }
    }

    /// Common passwords of at least ten characters, lower case; shorter ones are refused by length.
    private static let common: Set<String> = [
        "1234567890", "12345678910", "123456789a", "123456789q", "0123456789", "0987654321", "9876543210",
        "1q2w3e4r5t", "1q2w3e4r5t6y", "1qaz2wsx3edc", "qwertyuiop", "qwerty1234", "qwerty12345", "qwerty123456",
        "asdfghjkl1", "asdfghjkl;", "zaq12wsxcde3", "password12", "password123", "password1234", "password12345",
        "password123!", "passw0rd123", "p@ssw0rd123", "p@ssword123", "p@ssw0rd1234", "administrator",
        "admin12345", "admin123456", "admin@1234", "admin@12345", "admin@123456", "administrator1", "welcome123",
        "welcome1234", "welcome@123", "changeme123", "changeme1234", "letmein123", "letmein1234", "iloveyou12",
        "iloveyou123", "matkhau123", "matkhau1234", "matkhau12345", "matkhau@123", "matkhau@1234", "anhyeuem123",
        "emyeuanh123", "yeuem12345", "vietnam123", "vietnam1234", "vietnam2024", "vietnam2025", "vietnam2026",
        "vietnam@123", "saigon12345", "hochiminh1", "hochiminh123", "truonghoc1", "truonghoc123", "hocsinh123",
        "giaovien123", "giaovien1234", "congtruong", "congtruong1", "congtruong123", "abcdefghij", "abcdefghijk",
        "abc1234567", "abc123456789", "abcd123456", "abcd12345678", "a123456789", "aa123456789", "qazwsxedcrfv",
        "q1w2e3r4t5", "q1w2e3r4t5y6", "1111111111", "0000000000", "1122334455", "112233445566", "123123123123",
        "1231231231", "123321123321", "987654321a", "football123", "liverpool123", "manchester", "manchester1",
        "superman123", "sunshine123", "princess123", "dragon12345", "monkey12345", "samsung123", "internet123",
        "computer123", "campusgateway", "campus1234", "campus12345", "school12345", "student123", "teacher123",
    ]
}
