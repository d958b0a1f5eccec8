internal import CampusModel
package import DeviceProfile
package import FirmwareContract
internal import StrictYAML

extension ConfigurationFiles {
    /// The contract that payloads of `profile` are validated against; `nil` when it names none, or one that is missing.
    package func contract(of profile: DeviceProfile) -> ContractLibrary.Entry? {
        profile.contract.flatMap { ContractName($0) }.flatMap { self.contracts[$0] }
    }

    /// How often a device of `profile` promises to say something; `nil` when its contract has no heartbeat.
    package func heartbeatMilliseconds(of profile: DeviceProfile) -> Int64? {
        // The slowest of its messages, so that no promise is held against another one.
        self.contract(of: profile)?.contract.messages.compactMap(\.semantics.heartbeatMilliseconds).max()
    }

    /// What is wrong with contracts, and what stays in use because its file cannot be read any more.
    static func problems(of contracts: ContractLibrary, kept: [String]) -> [ConfigurationProblem] {
        contracts.problems.map { problem in
            ConfigurationProblem(
                vi: "Hợp đồng firmware có lỗi và bị bỏ qua: \(problem.description)",
                en: problem.description
            )
        }
            + kept.map { name in
                ConfigurationProblem(
                    name,
                    vi: "tệp mới không đọc được; bản tốt trước đó vẫn đang được dùng",
                    en: "the new file cannot be read; the last good one stays in use"
                )
            }
    }

    /// The same, with what does not fit between the profiles of devices and their contracts.
    func checkingContracts() -> ConfigurationFiles {
        // Without a folder of contracts nobody asked for validation.
        guard !self.gateway.contractFolders.isEmpty else { return self }
        var files = self
        for id in Set(self.site.devices.map(\.profile)).sorted() {
            guard let profile = self.library[id]?.profile, let name = profile.contract else { continue }
            guard let entry = self.contract(of: profile) else {
                let near = NearestWord.suggestion(for: name, among: self.contracts.names.map(\.description))
                files.problems.append(
                    ConfigurationProblem(
                        "\(id).yaml",
                        vi: "không có hợp đồng '\(name)', nên bản tin không được kiểm tra"
                            + (near.map { "; có phải '\($0)' không?" } ?? ""),
                        en: "there is no contract '\(name)', so payloads are not validated"
                            + (near.map { "; did you mean '\($0)'?" } ?? "")
                    )
                )
                continue
            }
            files.problems += ProfileCoverage.ofAllVariants(profile, contract: entry.contract).problems
                .map { finding in
                    ConfigurationProblem(
                        "\(id).yaml, \(finding.place)",
                        vi: "\(finding.text.vi) (hợp đồng \(name))",
                        en: "\(finding.text.en) (contract \(name))"
                    )
                }
        }
        return files
    }
}
