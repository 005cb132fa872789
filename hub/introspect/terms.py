"""How departments name things: Chinese, full pinyin, the initials that columns are called by, English. Facts, in our own words.

One line a term: what it means, the Chinese names (the first is the usual one), the pinyin of the first, further abbreviations,
English names.
Meaning is a canonical field (``Enterprise.name``, ``*.division`` for any type), or ``=`` for a word that has no canonical field and only
helps to name and grade a contributed one; ``!`` marks what is about a person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

_TABLE = """
Enterprise.uscc | 统一社会信用代码 社会信用代码 信用代码 纳税人识别号 | tong yi she hui xin yong dai ma | tydm xydm shxydm tyxydm nsrsbh | uscc credit_code social_credit_code unified_social_credit_code
Enterprise.name | 企业名称 主体名称 市场主体名称 单位名称 公司名称 法人名称 机构名称 | qi ye ming cheng | dwmc gsmc frmc jgmc ztmc | enterprise_name company_name ent_name entname corp_name
Enterprise.entityType | 企业类型 主体类型 市场主体类型 | qi ye lei xing | ztlx frlx | entity_type enterprise_type
Enterprise.status | 登记状态 经营状态 企业状态 | deng ji zhuang tai | jyzt qyzt | registration_status enterprise_status
Enterprise.division | 登记地行政区划 行政区划 行政区划代码 所属区划 区划代码 | deng ji di xing zheng qu hua | xzqh xzqhdm qhdm ssqh | division region_code area_code division_code
Enterprise.industryCode | 行业代码 行业门类 国民经济行业代码 | hang ye dai ma | hydm hyml | industry_code industry
Enterprise.registeredCapital | 注册资本 注册资金 | zhu ce zi ben | zczj | registered_capital reg_capital regcap
Enterprise.establishedOn | 成立日期 成立时间 注册日期 | cheng li ri qi | clsj zcrq | established_on established_date establish_date esdate
Enterprise.address | 住所 注册地址 企业地址 经营场所 | zhu suo | zcdz qydz jycs | registered_address enterprise_address address
Enterprise.legalRepName | 法定代表人 法定代表人姓名 法人代表 | fa ding dai biao ren | fddbr fddbrxm frdb | legal_rep_name legal_representative legal_person
Enterprise.creditScore.score | 信用分 信用评分 信用得分 | xin yong fen | xyf xydf | credit_score
Enterprise.creditScore.grade | 信用等级 信用评价等级 | xin yong deng ji | xydj | credit_grade credit_level
Enterprise.creditScore.evaluatedAt | 评价时间 信用评价时间 | ping jia shi jian | pjsj | evaluated_at
Licence.licenceId | 电子证照标识 证照标识 证照编码 | dian zi zheng zhao biao shi | zzbs dzzzbs zzbm | licence_id license_id
Licence.name | 证照名称 许可证名称 证书名称 | zheng zhao ming cheng | xkzmc zsmc | licence_name license_name
Licence.typeCode | 证照类型代码 证照类型 | zheng zhao lei xing dai ma | zzlx | licence_type_code license_type
Licence.holder.uscc | 持证主体代码 持证主体 持证人代码 | chi zheng zhu ti dai ma | czztdm czrdm czr | holder_uscc holder_code
Licence.issuer | 颁发机构代码 发证机关代码 | ban fa ji gou dai ma | bfjgdm fzjgdm | issuer issuer_code
Licence.issuerName | 颁发机构名称 颁发机构 发证机关 发证机关名称 | ban fa ji gou ming cheng | bfjg fzjg fzjgmc | issuer_name
Licence.issuedOn | 颁发日期 发证日期 | ban fa ri qi | fzrq | issued_on issue_date issued_date
Licence.validUntil | 有效期至 有效期止 有效期截止日期 | you xiao qi zhi | yxqz yxqjzrq | valid_until expiry_date expire_date valid_to
Licence.status | 证照状态 | zheng zhao zhuang tai | zzzt | licence_status license_status
Licence.trustLevel | 可信等级 | ke xin deng ji | | trust_level
Licence.item.itemCode | 对应事项编码 事项编码 | dui ying shi xiang bian ma | sxbm sxdm | item_code
EnforcementCase.caseNo | 案号 案件编号 案件号 | an hao | ajbh ajh | case_no case_number
EnforcementCase.enterprise.uscc | 涉案主体代码 当事人代码 当事人统一社会信用代码 | she an zhu ti dai ma | dsrdm | party_uscc enterprise_uscc
EnforcementCase.partyName | 当事人名称 当事人 当事人姓名 | dang shi ren ming cheng | dsr dsrxm | party_name
EnforcementCase.violation | 违法行为 违法事实 | wei fa xing wei | wfss | violation
EnforcementCase.legalClause | 法律条款 处罚依据 | fa lv tiao kuan | fltk cfyj | legal_clause
EnforcementCase.link | 办案环节 案件环节 | ban an huan jie | ajhj | case_link case_stage
EnforcementCase.summaryProcedure | 是否简案快办 简案快办 | shi fou jian an kuai ban | jakb | summary_procedure
EnforcementCase.filedOn | 立案日期 立案时间 | li an ri qi | lasj | filed_on filing_date
EnforcementCase.decidedOn | 决定日期 处罚决定日期 | jue ding ri qi | cfjdrq | decided_on decision_date
EnforcementCase.penaltyAmount | 罚款金额 处罚金额 | fa kuan jin e | cfje | penalty_amount fine_amount
EnforcementCase.handlingDept | 办案单位 办案机构代码 | ban an dan wei | bajgdm | handling_dept
EnforcementCase.division | 行政区划 行政区划代码 | xing zheng qu hua | xzqhdm qhdm | division
EnforcementCase.decisionDocNo | 处罚决定书文号 决定书文号 | chu fa jue ding shu wen hao | jdswh cfwh | decision_doc_no
CheckResult.checkNo | 检查编号 检查任务编号 | jian cha bian hao | jcrwbh | check_no inspection_no
CheckResult.planNo | 抽查计划编号 计划编号 | chou cha ji hua bian hao | jhbh | plan_no
CheckResult.enterprise.uscc | 被检查主体代码 检查对象代码 | bei jian cha zhu ti dai ma | jcdxdm | inspected_uscc
CheckResult.officers | 检查人员 | jian cha ren yuan | | officers inspectors
CheckResult.checkedAt | 检查时间 检查日期 | jian cha shi jian | jcrq | checked_at inspection_time
CheckResult.outcome | 检查结果 | jian cha jie guo | | outcome check_result
CheckResult.publicUrl | 公示地址 | gong shi di zhi | gsurl | public_url
PermitItem.itemCode | 事项编码 事项代码 许可事项编码 | shi xiang bian ma | sxdm | item_code
PermitItem.name | 事项名称 | shi xiang ming cheng | | item_name
PermitItem.settingLevel | 设定层级 | she ding ceng ji | sdcj | setting_level
PermitItem.legalBasis | 设定依据 | she ding yi ju | sdyj | legal_basis
PermitItem.leadDept | 主管部门 | zhu guan bu men | zgbm | lead_dept
PermitItem.conditions | 许可条件 | xu ke tiao jian | xktj | conditions
PermitItem.validityYears | 有效期年 | you xiao qi nian | yxqn | validity_years
PermitItem.feeRequired | 是否收费 | shi fou shou fei | sfsf | fee_required
PermitItem.quantityLimit | 是否有数量限制 | shi fou you shu liang xian zhi | slxz | quantity_limit
PermitItem.annualCheck | 是否年检或年报 是否年检 | shi fou nian jian huo nian bao | njnb | annual_check
PermitItem.delegated | 是否下放 | shi fou xia fang | sfxf | delegated
PermitItem.versionYear | 清单版本年份 | qing dan ban ben nian fen | bbnf | version_year
= ! | 姓名 | xing ming | | person_name
= ! | 联系人 联系人姓名 | lian xi ren | lxrxm | contact_name contact
= ! | 联系电话 联系方式 电话 电话号码 固定电话 | lian xi dian hua | dh lxfs dhhm | contact_phone phone telephone tel
= ! | 手机号 手机号码 移动电话 | shou ji hao | sjhm yddh | mobile mobile_phone cellphone
= ! | 身份证号 身份证号码 公民身份号码 身份证件号码 证件号码 | shen fen zheng hao | sfzhm gmsfhm sfzjhm zjhm zjh | resident_id id_card id_no id_number
= ! | 家庭住址 居住地址 通讯地址 联系地址 地址 | jia ting zhu zhi | jtdz jzdz txdz lxdz dz | home_address
= ! | 电子邮箱 邮箱 | dian zi you xiang | yx dzyj | email e_mail
= ! | 银行账号 银行卡号 开户账号 | yin hang zhang hao | yhkh khzh | bank_account
= ! | 出生日期 | chu sheng ri qi | csny | birth_date birthday date_of_birth
= ! | 性别 | xing bie | | gender sex
= ! | 民族 | min zu | | ethnicity nationality
= ! | 经办人 负责人 | jing ban ren | fzr | handler_name person_in_charge
= | 名称 | ming cheng | | name
= | 编号 | bian hao | | number
= | 代码 编码 | dai ma | bm | code
= | 类型 类别 | lei xing | lb | type category
= | 状态 | zhuang tai | | status state
= | 日期 | ri qi | | date
= | 时间 | shi jian | | time
= | 金额 | jin e | | amount
= | 数量 | shu liang | | quantity count
= | 年份 年度 | nian fen | nd | year
= | 月份 | yue fen | | month
= | 备注 说明 | bei zhu | sm | remark remarks note
= | 创建时间 | chuang jian shi jian | | created_at create_time
= | 更新时间 | geng xin shi jian | xgsj | updated_at update_time
= | 用水量 | yong shui liang | | water_used
= | 用电量 | yong dian liang | | electricity_used
= | 用气量 | yong qi liang | | gas_used
= | 水表编号 表号 | shui biao bian hao | sbbh bh | meter_no
= | 排污许可证编号 | pai wu xu ke zheng bian hao | pwxkzbh | discharge_permit_no
= | 评价等级 等级 | ping jia deng ji | dj | grade level
= | 经度 | jing du | | longitude
= | 纬度 | wei du | | latitude
= | 网址 链接 | wang zhi | | url link
= | 部门 主管单位 | bu men | zgdw | department
= | 人数 从业人数 职工人数 | ren shu | cyrs zgrs | headcount employees
= | 参保人数 | can bao ren shu | | insured_count
= | 纳税信用等级 纳税等级 | na shui xin yong deng ji | nsxydj | tax_credit_grade
= | 欠税金额 | qian shui jin e | qsje | tax_arrears
"""


@dataclass(frozen=True, slots=True)
class Term:
    """``means`` is ``Type.field`` (a part after a further dot), or empty. ``chinese[0]`` is the usual word, ``name`` what a field
    is called."""

    means: str
    personal: bool
    chinese: tuple[str, ...]
    pinyin: str
    initials: tuple[str, ...]
    english: tuple[str, ...]
    name: str


@cache
def terms() -> tuple[Term, ...]:
    """All terms, in the table's order."""
    return tuple(_read())


def _read() -> Iterator[Term]:
    for line in _TABLE.strip().splitlines():
        means, chinese, pinyin, more, english = (part.strip() for part in line.split("|"))
        syllables = pinyin.split()
        first = "".join(each[0] for each in syllables)
        yield Term(
            means="" if means.startswith("=") else means,
            personal="!" in means or means.endswith("legalRepName"),
            chinese=tuple(chinese.split()),
            pinyin="".join(syllables),
            initials=(first, *(each for each in more.split() if each != first)),
            english=tuple(plain(each) for each in english.split()),
            name=camel(english.split()[0]),
        )


def plain(name: str) -> str:
    """A name without what styles differ in: ``TYSHXYDM``, ``Credit_Code`` and ``creditCode`` → ``tyshxydm``, ``creditcode``."""
    return re.sub(r"[\W_]+", "", name).lower()


def camel(name: str) -> str:
    """``XYXF_URL``, ``credit-code`` → ``xyxfUrl``, ``creditCode``; empty when nothing of it can stand in a GraphQL name."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[A-Z]", re.sub(r"[^0-9A-Za-z]+", " ", name))
    if not parts:
        return ""
    found = parts[0].lower() + "".join(part.capitalize() for part in parts[1:])
    return found if found[0].isalpha() else f"n{found}"
